/* Which facts a draft of words states. The specification is rewards/stated_facts.py. */
#include "words.h"

enum { SAID_NUMBER = -1, SAID_NAME = -2, ANY_VALUE = -3 }; /* of sources/signatures.py */
enum { OTHER, NUMBER, NAME };
enum { MOST_SCANNED = 8 };

/* ---- The automaton ----------------------------------------------------------------------- */

static void *copy_array(const Array *array)
{
    size_t bytes = (size_t)array->view.len;
    void *copy = PyMem_Malloc(bytes ? bytes : 1);
    if (!copy)
        PyErr_NoMemory();
    else
        memcpy(copy, array->view.buf, bytes);
    return copy;
}

/* Returns whether numbers lie in [least, most). */
static int lie_in(const Array *array, int32_t least, int32_t most)
{
    const int32_t *numbers = array->view.buf;
    for (Py_ssize_t place = 0; place < array->view.shape[0]; place++)
        if (numbers[place] < least || numbers[place] >= most)
            return 0;
    return 1;
}

/* Returns whether numbers start at 0, never fall, and end at `end`. */
static int are_starts(const Array *array, Py_ssize_t end)
{
    const int32_t *starts = array->view.buf;
    Py_ssize_t count = array->view.shape[0];
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
        int32_t ending = self->nodes[node].ending;
        if (depth[self->nodes[node].fallback] >= depth[node] || depth[ending] > depth[node] ||
            (ending != node && depth[ending] == depth[node]))
            return 0;
    }
    return depth[0] == 0 && self->nodes[0].fallback == 0 && self->nodes[0].ending == 0;
}

enum { EDGE_START, SYMBOLS, TARGETS, FALLBACK, ENDING, DEPTH, MEANING_START, KINDS, VALUES, ARRAYS };

/* Returns whether arrays fit one another, so that what they hold may be followed. */
static int fit(const Array *arrays, int num_symbols)
{
    Py_ssize_t nodes = arrays[FALLBACK].view.shape[0], edges = arrays[SYMBOLS].view.shape[0];
    Py_ssize_t meanings = arrays[KINDS].view.shape[0];
    int32_t most = (int32_t)nodes;
    return nodes >= 1 && nodes <= INT32_MAX / 4 && edges <= INT32_MAX / 4 &&
           meanings <= INT32_MAX / 4 && arrays[EDGE_START].view.shape[0] == nodes + 1 &&
           arrays[TARGETS].view.shape[0] == edges && arrays[ENDING].view.shape[0] == nodes &&
           arrays[DEPTH].view.shape[0] == nodes &&
           arrays[MEANING_START].view.shape[0] == nodes + 1 &&
           arrays[VALUES].view.shape[0] == meanings && are_starts(&arrays[EDGE_START], edges) &&
           are_starts(&arrays[MEANING_START], meanings) &&
           lie_in(&arrays[SYMBOLS], 0, num_symbols) && lie_in(&arrays[TARGETS], 1, most) &&
           lie_in(&arrays[FALLBACK], 0, most) && lie_in(&arrays[ENDING], 0, most) &&
           lie_in(&arrays[DEPTH], 0, most);
}

static int matcher_read(Matcher *self, const Array *arrays)
{
    if (!fit(arrays, self->num_symbols))
        goto refused;
    Py_ssize_t nodes = arrays[FALLBACK].view.shape[0], edges = arrays[SYMBOLS].view.shape[0];
    self->num_nodes = (int32_t)nodes;
    self->nodes = PyMem_Calloc((size_t)nodes, sizeof(Node));
    self->edges = PyMem_Calloc((size_t)edges + 1, sizeof(Edge));
    self->from_root = PyMem_Calloc((size_t)self->num_symbols + 1, sizeof(int32_t));
    if (!self->nodes || !self->edges || !self->from_root) {
        PyErr_NoMemory();
        return -1;
    }
    if (!(self->depth = copy_array(&arrays[DEPTH])) ||
        !(self->meaning_start = copy_array(&arrays[MEANING_START])) ||
        !(self->kinds = copy_array(&arrays[KINDS])) ||
        !(self->values = copy_array(&arrays[VALUES])))
        return -1;
    const int32_t *start = arrays[EDGE_START].view.buf, *fallback = arrays[FALLBACK].view.buf;
    const int32_t *symbols = arrays[SYMBOLS].view.buf, *targets = arrays[TARGETS].view.buf;
    const int32_t *ending = arrays[ENDING].view.buf;
    for (Py_ssize_t node = 0; node < nodes; node++)
        self->nodes[node] = (Node){start[node], start[node + 1], fallback[node], ending[node]};
    for (Py_ssize_t edge = 0; edge < edges; edge++)
        self->edges[edge] = (Edge){symbols[edge], targets[edge]};
    if (!chains_end(self))
        goto refused;
    for (int32_t edge = 0; edge < start[1]; edge++)
        self->from_root[symbols[edge]] = targets[edge];
    return 0;
refused:
    PyErr_SetString(PyExc_ValueError, "these arrays are no automaton: see Matcher.arrays");
    return -1;
}

static PyObject *matcher_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static const WantedArray wanted[ARRAYS] = {
        {"edge_start", 'i', 1}, {"symbols", 'i', 1}, {"targets", 'i', 1},
        {"fallback", 'i', 1},   {"ending", 'i', 1},  {"depth", 'i', 1},
        {"meaning_start", 'i', 1}, {"kinds", 'q', 1}, {"values", 'q', 1},
    };
    Array arrays[ARRAYS];
    PyObject *given;
    int num_symbols;
    (void)keywords;
    memset(arrays, 0, sizeof(arrays));
    if (!PyArg_ParseTuple(args, "Oi:Matcher", &given, &num_symbols))
        return NULL;
    if (num_symbols < 1 || num_symbols > MOST_SYMBOLS) {
        PyErr_Format(PyExc_ValueError, "an automaton has 1 to %d symbols", MOST_SYMBOLS);
        return NULL;
    }
    Matcher *self = NULL;
    if (arrays_open(given, wanted, arrays, ARRAYS, 0) == 0 &&
        (self = (Matcher *)type->tp_alloc(type, 0))) {
        self->num_symbols = num_symbols;
        if (matcher_read(self, arrays) < 0)
            Py_CLEAR(self);
    }
    arrays_close(arrays, ARRAYS);
    return (PyObject *)self;
}

static void matcher_dealloc(Matcher *self)
{
    void *kept[] = {self->nodes, self->edges,  self->depth,    self->meaning_start,
                    self->kinds, self->values, self->from_root};
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
    int32_t low = matcher->nodes[node].edge_start, high = matcher->nodes[node].edge_end;
    while (high - low > MOST_SCANNED) {
        int32_t middle = low + (high - low) / 2;
        if (matcher->edges[middle].symbol > symbol)
            high = middle;
        else
            low = middle;
    }
    for (; low < high; low++)
        if (matcher->edges[low].symbol == symbol)
            return matcher->edges[low].target;
    return 0;
}

static inline int32_t match(const Matcher *matcher, int32_t node, int32_t symbol)
{
    for (; node; node = matcher->nodes[node].fallback) {
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
    int32_t at = matcher->nodes[reader->node].ending;
    for (; at && !claim.length; at = matcher->nodes[matcher->nodes[at].fallback].ending)
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
static inline int goes_on(const Reader *reader, const Word *word, int64_t value)
{
    if (!reader->is_open || word->digits != 3)
        return 0;
    return value == 0 || (reader->number < 10 && value % 100 == 0);
}

void read_word(const Matcher *matcher, const Document *document, char *memory, Reader *reader,
               const Proposition *propositions, int32_t count, const Word *word, int64_t value)
{
    Claim claim;
    if (goes_on(reader, word, value)) { /* what "12" claimed, "12,000" claims */
        reader->number = 1000 * reader->number + value;
        reader->is_open = 0;
        if (reader->since_start && !reader->since_end) {
            claim = find_claim(matcher, reader, propositions, count);
            make_claim(document, memory, reader, claim, 1);
        }
        return;
    }
    reader->node = match(matcher, reader->node, word->symbol);
    if (word->symbol == NUMBER)
        reader->number = value;
    else if (word->symbol == NAME)
        reader->name = value;
    reader->is_open = word->digits >= 1 && word->digits <= 3;
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
