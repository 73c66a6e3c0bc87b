/* Which facts a draft of words states. The specification is rewards/stated_facts.py. */
#include "words.h"

enum { SAID_NUMBER = -1, SAID_NAME = -2, ANY_VALUE = -3 }; /* of sources/signatures.py */
enum { OTHER, NUMBER, NAME };
enum { MOST_SCANNED = 8 };

/* ---- The automaton ----------------------------------------------------------------------- */

static int32_t *copy_numbers(const Array *array)
{
    size_t bytes = (size_t)array->view.len;
    int32_t *copy = PyMem_Malloc(bytes ? bytes : 1);
    if (!copy)
        PyErr_NoMemory();
    else
        memcpy(copy, array->view.buf, bytes);
    return copy;
}

/* Returns whether numbers lie in [least, most). */
static int lie_in(const int32_t *numbers, Py_ssize_t count, int32_t least, int32_t most)
{
    for (Py_ssize_t place = 0; place < count; place++)
        if (numbers[place] < least || numbers[place] >= most)
            return 0;
    return 1;
}

/* Returns whether numbers start at 0, never fall, and end at `end`. */
static int are_starts(const int32_t *starts, Py_ssize_t count, Py_ssize_t end)
{
    for (Py_ssize_t place = 1; place < count; place++)
        if (starts[place] < starts[place - 1])
            return 0;
    return count > 0 && starts[0] == 0 && starts[count - 1] == end;
}

/* Returns whether every chain of endings and fallbacks leads to the root: depths must fall. */
static int chains_end(const Matcher *self)
{
    const int32_t *depth = self->depth;
    for (int32_t node = 1; node < self->num_nodes; node++) {
        int32_t ending = self->ending[node];
        if (depth[self->fallback[node]] >= depth[node] || depth[ending] > depth[node])
            return 0;
        if (ending != node && depth[ending] == depth[node])
            return 0;
    }
    return depth[0] == 0 && self->fallback[0] == 0 && self->ending[0] == 0;
}

static int matcher_read(Matcher *self, const Array *arrays)
{
    Py_ssize_t nodes = arrays[3].view.shape[0], edges = arrays[1].view.shape[0];
    Py_ssize_t meanings = arrays[7].view.shape[0];
    int32_t **kept[] = {&self->edge_start, &self->symbols, &self->targets,      &self->fallback,
                        &self->ending,     &self->depth,   &self->meaning_start};
    if (nodes < 1 || nodes > INT32_MAX / 4 || edges > INT32_MAX / 4 || meanings > INT32_MAX / 4 ||
        arrays[0].view.shape[0] != nodes + 1 || arrays[2].view.shape[0] != edges ||
        arrays[4].view.shape[0] != nodes || arrays[5].view.shape[0] != nodes ||
        arrays[6].view.shape[0] != nodes + 1 || arrays[8].view.shape[0] != meanings)
        goto refused;
    for (int number = 0; number < 7; number++)
        if (!(*kept[number] = copy_numbers(&arrays[number])))
            return -1;
    self->kinds = (int64_t *)copy_numbers(&arrays[7]);
    self->values = (int64_t *)copy_numbers(&arrays[8]);
    self->from_root = PyMem_Calloc((size_t)self->num_symbols + 1, sizeof(int32_t));
    if (!self->kinds || !self->values || !self->from_root) {
        PyErr_NoMemory();
        return -1;
    }
    self->num_nodes = (int32_t)nodes;
    if (!are_starts(self->edge_start, nodes + 1, edges) ||
        !are_starts(self->meaning_start, nodes + 1, meanings) ||
        !lie_in(self->symbols, edges, 0, self->num_symbols) ||
        !lie_in(self->targets, edges, 1, self->num_nodes) ||
        !lie_in(self->fallback, nodes, 0, self->num_nodes) ||
        !lie_in(self->ending, nodes, 0, self->num_nodes) ||
        !lie_in(self->depth, nodes, 0, self->num_nodes) || !chains_end(self))
        goto refused;
    for (int32_t edge = 0; edge < self->edge_start[1]; edge++)
        self->from_root[self->symbols[edge]] = self->targets[edge];
    return 0;
refused:
    PyErr_SetString(PyExc_ValueError, "these arrays are no automaton: see Matcher.arrays");
    return -1;
}

static PyObject *matcher_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static const WantedArray wanted[] = {
        {"edge_start", 'i', 1}, {"symbols", 'i', 1}, {"targets", 'i', 1},
        {"fallback", 'i', 1},   {"ending", 'i', 1},  {"depth", 'i', 1},
        {"meaning_start", 'i', 1}, {"kinds", 'q', 1}, {"values", 'q', 1},
    };
    Array arrays[9];
    PyObject *given;
    int num_symbols;
    (void)keywords;
    memset(arrays, 0, sizeof(arrays));
    if (!PyArg_ParseTuple(args, "Oi:Matcher", &given, &num_symbols))
        return NULL;
    if (num_symbols < 1 || num_symbols > INT32_MAX / 8) {
        PyErr_SetString(PyExc_ValueError, "an automaton has 1 symbol or more");
        return NULL;
    }
    Matcher *self = NULL;
    if (arrays_open(given, wanted, arrays, 9, 0) == 0 &&
        (self = (Matcher *)type->tp_alloc(type, 0))) {
        self->num_symbols = num_symbols;
        if (matcher_read(self, arrays) < 0)
            Py_CLEAR(self);
    }
    arrays_close(arrays, 9);
    return (PyObject *)self;
}

static void matcher_dealloc(Matcher *self)
{
    void *kept[] = {self->edge_start, self->symbols,       self->targets, self->fallback,
                    self->ending,     self->depth,         self->kinds,   self->values,
                    self->from_root,  self->meaning_start};
    for (size_t number = 0; number < sizeof(kept) / sizeof(*kept); number++)
        PyMem_Free(kept[number]);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

PyDoc_STRVAR(matcher_doc, "Matcher(arrays, num_symbols)\n--\n\n"
                          "The automaton of a source's signatures: `Matcher.arrays` of\n"
                          "rewards/stated_facts.py.");

PyTypeObject MatcherType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "lightbulb_envs.kernel._native.Matcher",
    .tp_basicsize = sizeof(Matcher),
    .tp_dealloc = (destructor)matcher_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = matcher_doc,
    .tp_new = matcher_new,
};

/* Returns the node that a symbol leads to from another node than the root, or 0. */
static inline int32_t follow(const Matcher *matcher, int32_t node, int32_t symbol)
{
    int32_t low = matcher->edge_start[node], high = matcher->edge_start[node + 1];
    while (high - low > MOST_SCANNED) {
        int32_t middle = low + (high - low) / 2;
        if (matcher->symbols[middle] > symbol)
            high = middle;
        else
            low = middle;
    }
    for (; low < high; low++)
        if (matcher->symbols[low] == symbol)
            return matcher->targets[low];
    return 0;
}

static inline int32_t match(const Matcher *matcher, int32_t node, int32_t symbol)
{
    for (; node; node = matcher->fallback[node]) {
        int32_t target = follow(matcher, node, symbol);
        if (target)
            return target;
    }
    return matcher->from_root[symbol];
}

/* ---- Claims ------------------------------------------------------------------------------ */

typedef struct {
    int32_t length; /* symbols of the signature, 0 for no claim */
    int32_t fact, is_right;
} Claim;

/* Returns what a node that is a signature claims. */
static Claim claim_at(const Matcher *matcher, int32_t node, const Reader *reader,
                      const Proposition *propositions, int32_t count)
{
    Claim claim = {0, 0, 0};
    int32_t start = matcher->meaning_start[node], end = matcher->meaning_start[node + 1];
    for (int32_t number = 0; number < count; number++) {
        const Proposition *one = &propositions[number];
        for (int32_t place = start; place < end; place++) {
            if (matcher->kinds[place] != one->kind)
                continue;
            int64_t wanted = matcher->values[place];
            int64_t said = wanted == SAID_NUMBER ? reader->number
                           : wanted == SAID_NAME ? reader->name
                                                 : wanted;
            if (said == one->value || said == ANY_VALUE)
                return (Claim){matcher->depth[node], one->fact, 1};
            if (!claim.length)
                claim = (Claim){matcher->depth[node], one->fact, 0};
        }
    }
    return claim;
}

static Claim find_claim(const Matcher *matcher, const Reader *reader,
                        const Proposition *propositions, int32_t count)
{
    Claim claim = {0, 0, 0};
    int32_t at = matcher->ending[reader->node];
    for (; at && !claim.length; at = matcher->ending[matcher->fallback[at]])
        claim = claim_at(matcher, at, reader, propositions, count);
    return claim;
}

/* Adds a claim to those before the last one, or takes the last one's place. */
static void make_claim(const Document *document, char *memory, Reader *reader, Claim claim,
                       int replaces)
{
    State *state = (State *)memory;
    uint64_t *seen = (uint64_t *)(memory + document->at_seen);
    if (replaces) {
        state->covered = reader->covered_before;
        state->claimed = reader->claimed_before;
        if (reader->fresh >= 0)
            seen[reader->fresh / 64] &= ~((uint64_t)1 << reader->fresh % 64);
    }
    reader->covered_before = state->covered;
    reader->claimed_before = state->claimed;
    reader->fresh = -1;
    uint64_t bit = (uint64_t)1 << claim.fact % 64;
    state->claimed += document->fact_weight[claim.fact];
    if (claim.is_right && document->fact_is_key[claim.fact] && !(seen[claim.fact / 64] & bit)) {
        seen[claim.fact / 64] |= bit;
        state->covered += document->fact_weight[claim.fact];
        reader->fresh = claim.fact;
    }
}

/* `Said.goes_on`: whether digits make thousands of the number before them. */
static inline int goes_on(const Reader *reader, const Said *said)
{
    if (!reader->is_open || said->digits != 3)
        return 0;
    return said->value == 0 || (reader->number < 10 && said->value % 100 == 0);
}

void read_word(const Matcher *matcher, const Document *document, char *memory, Reader *reader,
               const Proposition *propositions, int32_t count, const Said *said)
{
    Claim claim;
    if (goes_on(reader, said)) { /* what "12" claimed, "12,000" claims */
        reader->number = 1000 * reader->number + said->value;
        reader->is_open = 0;
        if (reader->since_start && !reader->since_end) {
            claim = find_claim(matcher, reader, propositions, count);
            make_claim(document, memory, reader, claim, 1);
        }
        return;
    }
    reader->node = match(matcher, reader->node, said->symbol);
    if (said->symbol == NUMBER)
        reader->number = said->value;
    else if (said->symbol == NAME)
        reader->name = said->value;
    reader->is_open = said->digits >= 1 && said->digits <= 3;
    reader->since_start += reader->since_start > 0;
    reader->since_end++;
    claim = find_claim(matcher, reader, propositions, count);
    if (!claim.length)
        return;
    int replaces = reader->since_start && claim.length >= reader->since_start;
    if (reader->since_start && !replaces && claim.length > reader->since_end)
        return;
    make_claim(document, memory, reader, claim, replaces);
    reader->since_start = claim.length;
    reader->since_end = 0;
}
