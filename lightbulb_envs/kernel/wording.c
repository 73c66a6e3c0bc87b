/* The wording of every sentence of a block of newsroom articles, and rows put in order.
 *
 * The specification is `choose_templates` of sources/newsroom/telling.py, and `numpy.argsort`. */
#include "kernel.h"

enum { SEGMENTS = 5, FACT = 1, REPEAT = 2, EARLY = 5, FIRST_REPORT = 8, LATEST_REPORT = 10 };
/* Runs of templates, in the order of `_RUNS` in sources/newsroom/compiled_telling.py: what a
 * sentence opens with, joins clauses by, and ends with. The roles from EARLY on have their own. */
enum { LINK, AGAIN, OF_ROLE, JOINERS = OF_ROLE + LATEST_REPORT - EARLY + 1, CLOSERS, NUM_RUNS };

enum { MAIN_START, MAIN_COUNT, TAIL_START, TAIL_COUNT, KINDS_OF_EVENTS, RUNS, NUM_TABLES };
static const WantedArray wanted_tables[NUM_TABLES] = {
    {"main_start", 'q', 1}, {"main_count", 'q', 1}, {"tail_start", 'q', 1},
    {"tail_count", 'q', 1}, {"is_event", '?', 1},   {"runs", 'q', 2},
};

enum {
    FIRST,
    SECOND,
    ROLE,
    IS_TAIL,
    KIND,
    OPINION_OF,
    WORDING,
    OPINION,
    CLAUSE,
    CONJUNCTION,
    CHANCE,
    OPENER,
    NAMES_SOURCE,
    SOURCE,
    TEMPLATES,
    NUM_ARRAYS
};
static const WantedArray wanted_arrays[NUM_ARRAYS] = {
    {"first", 'q', 2},   {"second", 'q', 2},      {"role", 'q', 2},   {"is_tail", '?', 2},
    {"kind", 'q', 2},    {"voice", 'q', 2},       {"wording", 'I', 2}, {"opinion", 'I', 2},
    {"clause", 'I', 2},  {"conjunction", 'I', 2}, {"chance", 'I', 2}, {"opener", 'I', 2},
    {"named", 'I', 2},   {"source", 'I', 2},      {"templates", 'q', 3},
};

typedef struct {
    Array tables[NUM_TABLES], arrays[NUM_ARRAYS];
    double link, early_from, repeat, source;
    Py_ssize_t documents, sentences, facts, kinds;
    int64_t *last; /* (facts,) the wording that a fact was last told in */
} Block;

#define TABLE(block, type, which) ((const type *)(block)->tables[which].view.buf)
#define ARRAY(block, type, which) ((const type *)(block)->arrays[which].view.buf)

/* Sums of what Python gave wrap around, as no sum of its own tables does. */
static int64_t plus(int64_t one, int64_t other)
{
    return (int64_t)((uint64_t)one + (uint64_t)other);
}

static int64_t below(uint32_t word, int64_t count)
{
    return (int64_t)((uint64_t)word * (uint64_t)count >> 32);
}

static int64_t run_of(const Block *block, int run, uint32_t word)
{
    const int64_t *own = TABLE(block, int64_t, RUNS) + 2 * run;
    return plus(own[0], below(word, own[1]));
}

/* Returns one of a run but its first. */
static int64_t other_of(const Block *block, int run, uint32_t word)
{
    const int64_t *own = TABLE(block, int64_t, RUNS) + 2 * run;
    return plus(plus(own[0], 1), below(word, plus(own[1], -1)));
}

static int64_t choose_opener(const Block *block, Py_ssize_t at, int is_later, int is_one_report)
{
    int64_t role = ARRAY(block, int64_t, ROLE)[at];
    double chance = unit(ARRAY(block, uint32_t, CHANCE)[at]);
    uint32_t word = ARRAY(block, uint32_t, OPENER)[at];
    if (role >= EARLY)
        return run_of(block, OF_ROLE + (int)(role - EARLY), word);
    if (role == REPEAT && is_later && chance < block->repeat)
        return run_of(block, AGAIN, word);
    if (role != FACT || !is_later || ARRAY(block, int64_t, FIRST)[at] <= 0)
        return 0;
    if (chance >= block->early_from && ARRAY(block, int64_t, SECOND)[at] < 0 && is_one_report)
        return run_of(block, OF_ROLE, word);
    return chance < block->link ? run_of(block, LINK, word) : 0;
}

/* Returns the kind of a fact of a document, or -1 with an error set. */
static int64_t kind_of(const Block *block, Py_ssize_t document, int64_t fact)
{
    int64_t kind = fact < block->facts
                       ? ARRAY(block, int64_t, KIND)[document * block->facts + fact]
                       : -1;
    if (kind < 0 || kind >= block->kinds) {
        PyErr_Format(PyExc_ValueError, "a sentence tells fact %lld, which has no kind",
                     (long long)fact);
        return -1;
    }
    return kind;
}

static int64_t choose_main(const Block *block, Py_ssize_t document, Py_ssize_t at, int64_t fact,
                           int64_t kind)
{
    int64_t count = TABLE(block, int64_t, MAIN_COUNT)[kind];
    count = count > 1 ? count : 1;
    int64_t spoken = ARRAY(block, int64_t, OPINION_OF)[document * block->facts + fact];
    int64_t wording = below(ARRAY(block, uint32_t, WORDING)[at], count);
    if (spoken >= 0)
        wording = plus(below(ARRAY(block, uint32_t, OPINION)[document], count), spoken) % count;
    if (block->last[fact] == wording)
        wording = plus(wording, 1) % count;
    block->last[fact] = wording;
    return plus(TABLE(block, int64_t, MAIN_START)[kind], wording);
}

static int choose_clause(const Block *block, Py_ssize_t document, Py_ssize_t at, int64_t *templates)
{
    int64_t second = ARRAY(block, int64_t, SECOND)[at];
    if (second < 0)
        return 0;
    int64_t kind = kind_of(block, document, second);
    if (kind < 0)
        return -1;
    int is_tail = ARRAY(block, uint8_t, IS_TAIL)[at];
    uint32_t word = ARRAY(block, uint32_t, CLAUSE)[at];
    int64_t start = TABLE(block, int64_t, is_tail ? TAIL_START : MAIN_START)[kind];
    int64_t count = TABLE(block, int64_t, is_tail ? TAIL_COUNT : MAIN_COUNT)[kind];
    templates[3] = plus(start, below(word, count));
    templates[2] = is_tail ? TABLE(block, int64_t, RUNS)[2 * JOINERS]
                           : other_of(block, JOINERS, ARRAY(block, uint32_t, CONJUNCTION)[at]);
    return 0;
}

static int choose_sentence(const Block *block, Py_ssize_t document, Py_ssize_t place,
                           int is_one_report)
{
    Py_ssize_t at = document * block->sentences + place;
    int64_t *templates = (int64_t *)block->arrays[TEMPLATES].view.buf + SEGMENTS * at;
    int64_t fact = ARRAY(block, int64_t, FIRST)[at], role = ARRAY(block, int64_t, ROLE)[at];
    memset(templates, 0, SEGMENTS * sizeof(int64_t));
    if (role < 0 || role > LATEST_REPORT) {
        PyErr_Format(PyExc_ValueError, "there is no role %lld", (long long)role);
        return -1;
    }
    templates[0] = choose_opener(block, at, place > 0, is_one_report);
    if (choose_clause(block, document, at, templates) < 0)
        return -1;
    if (fact < 0)
        return 0;
    int64_t kind = kind_of(block, document, fact);
    if (kind < 0)
        return -1;
    templates[1] = choose_main(block, document, at, fact, kind);
    int names_source = role == FACT && !templates[0] &&
                       !TABLE(block, uint8_t, KINDS_OF_EVENTS)[kind] &&
                       unit(ARRAY(block, uint32_t, NAMES_SOURCE)[at]) < block->source;
    templates[4] = names_source ? other_of(block, CLOSERS, ARRAY(block, uint32_t, SOURCE)[at])
                                : TABLE(block, int64_t, RUNS)[2 * CLOSERS];
    return 0;
}

static int choose_document(const Block *block, Py_ssize_t document)
{
    const int64_t *roles = ARRAY(block, int64_t, ROLE) + document * block->sentences;
    int is_one_report = 1;
    for (Py_ssize_t fact = 0; fact < block->facts; fact++)
        block->last[fact] = -1;
    for (Py_ssize_t place = 0; place < block->sentences; place++)
        is_one_report &= roles[place] < FIRST_REPORT;
    for (Py_ssize_t place = 0; place < block->sentences; place++)
        if (choose_sentence(block, document, place, is_one_report) < 0)
            return -1;
    return 0;
}

static int check_shapes(Block *block)
{
    const Array *tables = block->tables, *arrays = block->arrays;
    Py_ssize_t documents = arrays[FIRST].view.shape[0], sentences = arrays[FIRST].view.shape[1];
    Py_ssize_t facts = arrays[KIND].view.shape[1], kinds = tables[MAIN_START].view.shape[0];
    int is_sound = array_has_shape(&arrays[OPINION], documents, 1, 0);
    for (int which = MAIN_START; which <= KINDS_OF_EVENTS; which++)
        is_sound &= array_has_shape(&tables[which], kinds, 0, 0);
    is_sound &= array_has_shape(&tables[RUNS], NUM_RUNS, 2, 0);
    for (int which = FIRST; which <= SOURCE; which++)
        if (which != OPINION)
            is_sound &= array_has_shape(&arrays[which], documents,
                                        which == KIND || which == OPINION_OF ? facts : sentences, 0);
    is_sound &= array_has_shape(&arrays[TEMPLATES], documents, sentences, SEGMENTS);
    if (!is_sound) {
        PyErr_SetString(PyExc_ValueError, "the arrays of a block do not fit together");
        return -1;
    }
    block->documents = documents;
    block->sentences = sentences;
    block->facts = facts;
    block->kinds = kinds;
    block->last = PyMem_Malloc((facts + 1) * sizeof(int64_t));
    if (!block->last) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

const char choose_block_doc[] = "choose_block(tables, arrays, chances)\n--\n\n"
                                "Writes the templates of a block's sentences into the last array.";

PyObject *choose_block(PyObject *module, PyObject *args)
{
    PyObject *tables, *arrays, *result = NULL;
    Block block;
    (void)module;
    memset(&block, 0, sizeof(block));
    if (!PyArg_ParseTuple(args, "OO(dddd):choose_block", &tables, &arrays, &block.link,
                          &block.early_from, &block.repeat, &block.source))
        return NULL;
    int failed = arrays_open(tables, wanted_tables, block.tables, NUM_TABLES, 0) < 0 ||
                 arrays_open(arrays, wanted_arrays, block.arrays, NUM_ARRAYS, 1) < 0 ||
                 check_shapes(&block) < 0;
    for (Py_ssize_t document = 0; !failed && document < block.documents; document++)
        failed = choose_document(&block, document) < 0;
    if (!failed)
        result = Py_NewRef(Py_None);
    PyMem_Free(block.last);
    arrays_close(block.tables, NUM_TABLES);
    arrays_close(block.arrays, NUM_ARRAYS);
    return result;
}

/* ---- Order --------------------------------------------------------------------------------- */

const char order_rows_doc[] =
    "order_rows(values, order)\n--\n\n"
    "Writes into order (N, K), int64, what sorts every row of values (N, K), float64, stably. Rows\n"
    "are short, and hold no NaN.";

PyObject *order_rows(PyObject *module, PyObject *args)
{
    PyObject *given_values, *given_order, *result = NULL;
    Array values = {0}, order = {0};
    (void)module;
    if (!PyArg_ParseTuple(args, "OO:order_rows", &given_values, &given_order))
        return NULL;
    if (array_open(&values, given_values, "values", 'd', 2, 0) < 0 ||
        array_open(&order, given_order, "order", 'q', 2, 1) < 0)
        goto done;
    Py_ssize_t rows = values.view.shape[0], width = values.view.shape[1];
    if (!array_has_shape(&order, rows, width, 0)) {
        PyErr_SetString(PyExc_ValueError, "order must have the shape of values");
        goto done;
    }
    for (Py_ssize_t row = 0; row < rows; row++) {
        const double *own = (const double *)values.view.buf + row * width;
        int64_t *places = (int64_t *)order.view.buf + row * width;
        for (Py_ssize_t next = 0; next < width; next++) {
            double value = own[next];
            Py_ssize_t place = next;
            for (; place > 0 && own[places[place - 1]] > value; place--)
                places[place] = places[place - 1];
            places[place] = next;
        }
    }
    result = Py_NewRef(Py_None);
done:
    array_close(&values);
    array_close(&order);
    return result;
}
