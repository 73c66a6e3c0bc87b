/* One document whose words are actions, and drafts of them. The specification is
 * rewards/by_word.py. */
#include "steps.h"
#include "words.h"

/* ---- Adding a word ----------------------------------------------------------------------- */

void words_start(const WordDocument *document, char *memory)
{
    size_t size = document->document->state_size;
    memcpy(memory, document->document->start, size);
    memset(memory + size, 0, sizeof(Reader) + sizeof(Line));
    ((Reader *)(memory + size))->fresh = -1;
}

size_t words_scratch(const WordDocument *document, int64_t words)
{
    const Reward *reward = document->document->reward;
    size_t most = 0;
    for (int reading = 0; reading < READINGS; reading++)
        if (reward->uses_lsum[reading]) {
            size_t blocks = (size_t)document->document->references[reading].num_blocks;
            size_t size = (blocks + ((size_t)words + 1) * (blocks + 1)) * sizeof(uint64_t) +
                          (size_t)words * sizeof(int32_t);
            most = size > most ? size : most;
        }
    return most;
}

/* Counts anew what ROUGE-Lsum matches in a draft, which is one line. */
static void match_line(const WordDocument *document, int reading, char *memory, const Line *line,
                       void *scratch)
{
    const Document *own = document->document;
    const Reference *reference = &own->references[reading];
    int32_t blocks = reference->num_blocks, length = line->length, matches = 0;
    uint64_t *found = scratch, *rows = found + blocks;
    int32_t *uids = (int32_t *)(rows + ((size_t)length + 1) * ((size_t)blocks + 1));
    int32_t *counts = (int32_t *)(memory + own->at_counts[reading]);
    int32_t *wanted = counts + reference->num_known;
    memset(found, 0, (size_t)blocks * sizeof(uint64_t));
    memset(counts, 0, 2 * (size_t)reference->num_known * sizeof(int32_t));
    for (int32_t place = 0; place < length; place++) {
        Uid uid = document->words[line->words[place]].uids[reading];
        uids[place] = uid == UNKNOWN ? -1 : uid;
        if (uid != UNKNOWN)
            counts[uid]++;
    }
    for (int32_t number = 0; number < reference->num_sentences; number++)
        find_subsequence(reference->places, blocks, document->told[reading],
                         reference->starts[number], reference->starts[number + 1], uids, length,
                         rows, found);
    for (int32_t block = 0; block < blocks; block++)
        for (uint64_t bits = found[block]; bits; bits &= bits - 1) {
            Uid uid = reference->uids[64 * block + LOWEST_BIT(bits)];
            matches += wanted[uid]++ < counts[uid];
        }
    ((State *)memory)->matches[own->reward->num_ngrams + reading] = matches;
}

void words_extend(const WordDocument *document, const Place *draft, int32_t word, void *scratch)
{
    const Document *own = document->document;
    const Reward *reward = own->reward;
    draft_extend_uids(own, draft->state, document->words[word].uids);
    draft->line->words[draft->line->length++] = word;
    if (reward->uses_facts)
        read_word(document->matcher, own, draft->state, draft->reader, document->propositions,
                  document->num_propositions, &document->words[word], document->values[word]);
    for (int reading = 0; reading < READINGS; reading++)
        if (reward->uses_lsum[reading])
            match_line(document, reading, draft->state, draft->line, scratch);
}

/* ---- What is observed ---------------------------------------------------------------------- */

void words_write_pieces(const WordDocument *document, const WordDocument *before, int32_t *out)
{
    int32_t width = document->num_pieces, count = document->num_words;
    int32_t end = document->first_end, start = document->last_start;
    int32_t told = before ? before->first_end : start, again = before ? before->last_start : start;
    told = told < start ? told : start;
    again = again > end ? again : end;
    memcpy(out, document->pieces, (size_t)end * width * sizeof(int32_t));
    if (told > end)
        memset(out + (size_t)end * width, 0, (size_t)(told - end) * width * sizeof(int32_t));
    if (start > again)
        memset(out + (size_t)again * width, 0, (size_t)(start - again) * width * sizeof(int32_t));
    memcpy(out + (size_t)start * width, document->pieces + (size_t)start * width,
           (size_t)(count - start) * width * sizeof(int32_t));
}

/* Finds where the words that come first end, and where the last ones start. */
static void find_gap(WordDocument *self)
{
    int32_t word = 0, width = self->num_pieces;
    while (word < self->num_words && self->pieces[(size_t)word * width])
        word++;
    self->first_end = word;
    while (word < self->num_words && !self->pieces[(size_t)word * width])
        word++;
    self->last_start = word;
}

/* ---- Documents --------------------------------------------------------------------------- */

enum {
    WORDS, STEMS, MASK, PIECES, ARTICLE, SYMBOLS, VALUES, DIGITS, FACTS, KINDS, FACT_VALUES, ARRAYS
};

static const WantedArray wanted[ARRAYS] = {
    {"words", 'i', 2},   {"stems", 'i', 2},  {"mask", 'b', 2},   {"pieces", 'i', 3},
    {"article", 'i', 3}, {"symbols", 'i', 2}, {"values", 'q', 2}, {"digits", 'i', 2},
    {"facts", 'q', 2},   {"kinds", 'q', 2},  {"fact_values", 'q', 2},
};

static int read_uids(WordDocument *self, const int32_t *const *words)
{
    const Document *own = self->document;
    for (int reading = 0; reading < READINGS; reading++) {
        const Reference *reference = &own->references[reading];
        if (!own->reward->uses[reading])
            continue;
        for (int32_t word = 0; word < self->num_words; word++)
            self->words[word].uids[reading] = find_word(reference, words[reading][word]);
        if (!own->reward->uses_lsum[reading])
            continue;
        self->told[reading] = arena_take(&self->arena, reference->num_words, sizeof(int32_t));
        if (!self->told[reading])
            return -1;
        for (int32_t place = 0; place < reference->num_words; place++)
            self->told[reading][place] = reference->uids[place];
    }
    return 0;
}

static int read_said(WordDocument *self, const Array *arrays, Py_ssize_t number)
{
    Py_ssize_t first = number * self->num_words;
    const int32_t *symbols = (const int32_t *)arrays[SYMBOLS].view.buf + first;
    const int32_t *digits = (const int32_t *)arrays[DIGITS].view.buf + first;
    const int64_t *values = (const int64_t *)arrays[VALUES].view.buf + first;
    for (int32_t word = 0; word < self->num_words; word++) {
        int32_t symbol = symbols[word];
        if (symbol < 0 || symbol >= (self->matcher ? self->matcher->num_symbols : MOST_SYMBOLS)) {
            PyErr_Format(PyExc_ValueError, "the automaton has no symbol %d", symbol);
            return -1;
        }
        self->words[word].symbol = (uint16_t)symbol;
        self->words[word].digits = (uint8_t)(digits[word] < 0 || digits[word] > 4 ? 4 : digits[word]);
        self->words[word].is_legal = self->mask[word];
        self->values[word] = values[word];
    }
    return 0;
}

static int read_propositions(WordDocument *self, const Array *arrays, Py_ssize_t number)
{
    Py_ssize_t count = arrays[FACTS].view.shape[1];
    const int64_t *facts = (const int64_t *)arrays[FACTS].view.buf + number * count;
    const int64_t *kinds = (const int64_t *)arrays[KINDS].view.buf + number * count;
    const int64_t *values = (const int64_t *)arrays[FACT_VALUES].view.buf + number * count;
    self->propositions = arena_take(&self->arena, count, sizeof(Proposition));
    if (!self->propositions)
        return -1;
    for (Py_ssize_t place = 0; place < count; place++) {
        if (kinds[place] < 0 || !self->document->reward->uses_facts)
            continue;
        if (facts[place] < 0 || facts[place] >= self->document->num_facts) {
            PyErr_Format(PyExc_ValueError, "a proposition is about fact %lld, and there are %d",
                         (long long)facts[place], self->document->num_facts);
            return -1;
        }
        self->propositions[self->num_propositions++] =
            (Proposition){kinds[place], values[place], (int32_t)facts[place]};
    }
    return 0;
}

static WordDocument *read_words(Document *document, Matcher *matcher, const Array *arrays,
                                Py_ssize_t number)
{
    WordDocument *self = PyObject_New(WordDocument, &WordDocumentType);
    if (!self)
        return NULL;
    memset((char *)self + sizeof(PyObject), 0, sizeof(WordDocument) - sizeof(PyObject));
    self->document = (Document *)Py_NewRef((PyObject *)document);
    self->matcher = matcher ? (Matcher *)Py_NewRef((PyObject *)matcher) : NULL;
    self->num_words = (int32_t)arrays[WORDS].view.shape[1];
    self->num_pieces = (int32_t)arrays[PIECES].view.shape[2];
    size_t mask = (size_t)self->num_words + 1;
    size_t pieces = (size_t)self->num_words * self->num_pieces;
    const Array *stems = arrays[STEMS].is_held ? &arrays[STEMS] : &arrays[WORDS];
    const int32_t *words[READINGS] = {
        (const int32_t *)arrays[WORDS].view.buf + number * self->num_words,
        (const int32_t *)stems->view.buf + number * self->num_words,
    };
    self->words = arena_take(&self->arena, self->num_words, sizeof(Word));
    self->values = arena_take(&self->arena, self->num_words, sizeof(int64_t));
    self->mask = arena_take(&self->arena, mask, 1);
    self->pieces = arena_take(&self->arena, pieces, sizeof(int32_t));
    if (!self->words || !self->values || !self->mask || !self->pieces)
        goto failed;
    memcpy(self->mask, (const char *)arrays[MASK].view.buf + number * mask, mask);
    if (read_uids(self, words) < 0 || read_said(self, arrays, number) < 0 ||
        read_propositions(self, arrays, number) < 0)
        goto failed;
    memcpy(self->pieces, (const int32_t *)arrays[PIECES].view.buf + number * pieces,
           pieces * sizeof(int32_t));
    if (self->num_pieces)
        find_gap(self);
    const Py_ssize_t *shape = arrays[ARTICLE].view.shape;
    const int32_t *article = (const int32_t *)arrays[ARTICLE].view.buf;
    if (lines_read(&self->article, &self->arena, article + number * shape[1] * shape[2], shape[1],
                   shape[2]) < 0)
        goto failed;
    return self;
failed:
    Py_DECREF(self);
    return NULL;
}

static int check_words(PyObject *documents, Matcher *matcher, const Array *arrays)
{
    Py_ssize_t count = PyList_GET_SIZE(documents), words = arrays[WORDS].view.shape[1];
    for (int number = 0; number < ARRAYS; number++) {
        Py_ssize_t second = number == MASK ? words + 1 : words;
        if (number == STEMS && !arrays[STEMS].is_held)
            continue;
        if (number >= FACTS)
            second = arrays[FACTS].view.shape[1];
        if (number == ARTICLE)
            second = arrays[ARTICLE].view.shape[1];
        if (arrays[number].view.shape[0] != count || arrays[number].view.shape[1] != second) {
            PyErr_Format(PyExc_ValueError, "%s must be of %zd documents, and each of %zd",
                         wanted[number].name, count, second);
            return -1;
        }
    }
    if (words > INT32_MAX / 64 || arrays[PIECES].view.shape[2] > INT16_MAX ||
        arrays[ARTICLE].view.shape[2] > INT32_MAX / 4) {
        PyErr_SetString(PyExc_ValueError, "the arrays are too large for the kernel");
        return -1;
    }
    for (Py_ssize_t number = 0; number < count; number++) {
        PyObject *item = PyList_GET_ITEM(documents, number);
        if (!PyObject_TypeCheck(item, &DocumentType)) {
            PyErr_SetString(PyExc_TypeError, "compile_words needs a list of Documents");
            return -1;
        }
        const Reward *reward = ((Document *)item)->reward;
        if ((reward->uses_facts && !matcher) || (reward->uses[1] && !arrays[STEMS].is_held)) {
            PyErr_SetString(PyExc_ValueError,
                            "the reward looks at facts or stems, which are not given");
            return -1;
        }
    }
    return 0;
}

const char compile_words_doc[] =
    "compile_words(documents, matcher, arrays)\n--\n\n"
    "Returns documents as a list of WordDocument, whose words are actions. The arrays say of N\n"
    "documents what A words are: numbers, those of their stems (or None), the mask (N, A + 1),\n"
    "pieces (N, A, P), the article in actions (N, S, T), symbols, values, digits; and what F\n"
    "facts are: fact, kind, value.";

PyObject *compile_words(PyObject *module, PyObject *args)
{
    PyObject *documents, *given_matcher, *given, *result = NULL;
    Array arrays[ARRAYS];
    (void)module;
    memset(arrays, 0, sizeof(arrays));
    if (!PyArg_ParseTuple(args, "O!OO!:compile_words", &PyList_Type, &documents, &given_matcher,
                          &PyTuple_Type, &given))
        return NULL;
    if (given_matcher != Py_None && !PyObject_TypeCheck(given_matcher, &MatcherType)) {
        PyErr_SetString(PyExc_TypeError, "the matcher must be a Matcher or None");
        return NULL;
    }
    if (PyTuple_GET_SIZE(given) != ARRAYS) {
        PyErr_Format(PyExc_TypeError, "compile_words needs a tuple of %d arrays", ARRAYS);
        return NULL;
    }
    Matcher *matcher = given_matcher == Py_None ? NULL : (Matcher *)given_matcher;
    for (int number = 0; number < ARRAYS; number++) {
        PyObject *item = PyTuple_GET_ITEM(given, number);
        if (number == STEMS && item == Py_None)
            continue;
        if (array_open(&arrays[number], item, wanted[number].name, wanted[number].type,
                       wanted[number].dimensions, 0) < 0)
            goto done;
    }
    if (check_words(documents, matcher, arrays) < 0)
        goto done;
    result = PyList_New(PyList_GET_SIZE(documents));
    for (Py_ssize_t number = 0; result && number < PyList_GET_SIZE(documents); number++) {
        Document *document = (Document *)PyList_GET_ITEM(documents, number);
        WordDocument *words = read_words(document, matcher, arrays, number);
        if (!words)
            Py_CLEAR(result);
        else
            PyList_SET_ITEM(result, number, (PyObject *)words);
    }
done:
    arrays_close(arrays, ARRAYS);
    return result;
}

static void words_dealloc(WordDocument *self)
{
    arena_free(&self->arena);
    Py_XDECREF(self->document);
    Py_XDECREF(self->matcher);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

/* ---- Drafts as Python values, for searches ------------------------------------------------ */

typedef struct {
    PyObject_VAR_HEAD
    WordDocument *document;
    char memory[];
} WordDraft;

static WordDraft *word_draft_new(WordDocument *document, int64_t words)
{
    Py_ssize_t size = (Py_ssize_t)line_size(document, words);
    WordDraft *draft = PyObject_NewVar(WordDraft, &WordDraftType, size);
    if (draft)
        draft->document = (WordDocument *)Py_NewRef((PyObject *)document);
    return draft;
}

static PyObject *word_document_start(WordDocument *self, PyObject *ignored)
{
    (void)ignored;
    WordDraft *draft = word_draft_new(self, 0);
    if (draft)
        words_start(self, draft->memory);
    return (PyObject *)draft;
}

static void word_draft_dealloc(WordDraft *draft)
{
    Py_DECREF(draft->document);
    Py_TYPE(draft)->tp_free((PyObject *)draft);
}

/* Returns a number as a word of a document, or -1 with an error set. */
static int32_t check_word(const WordDocument *document, int64_t word)
{
    if (word >= 0 && word < document->num_words)
        return (int32_t)word;
    PyErr_Format(PyExc_IndexError, "a word must be in [0, %d), got %lld", document->num_words,
                 (long long)word);
    return -1;
}

PyDoc_STRVAR(word_draft_extend_doc,
             "extend(word)\n--\n\nReturns the draft with a word added, by its number.");

static PyObject *word_draft_extend(WordDraft *draft, PyObject *argument)
{
    WordDocument *document = draft->document;
    Py_ssize_t number = PyNumber_AsSsize_t(argument, PyExc_IndexError);
    if ((number == -1 && PyErr_Occurred()) || check_word(document, number) < 0)
        return NULL;
    int64_t length = place_in(document, draft->memory).line->length;
    void *scratch = PyMem_Malloc(words_scratch(document, length + 1) + 1);
    WordDraft *grown = scratch ? word_draft_new(document, length + 1) : NULL;
    if (grown) {
        memcpy(grown->memory, draft->memory, line_size(document, length));
        const Place place = place_in(document, grown->memory);
        words_extend(document, &place, (int32_t)number, scratch);
    }
    else if (!PyErr_Occurred())
        PyErr_NoMemory();
    PyMem_Free(scratch);
    return (PyObject *)grown;
}

static double value_of(const Document *document, const char *memory)
{
    double scores[MAX_PARTS], total = 0.0;
    draft_scores(document, memory, scores);
    for (int number = 0; number < document->reward->num_parts; number++)
        total += scores[number];
    return total;
}

PyDoc_STRVAR(word_draft_values_doc, "values(words, values)\n--\n\n"
                                    "Writes what the draft would be worth with each of the words\n"
                                    "(n,), int64, added, into values (n,), float64.");

static PyObject *word_draft_values(WordDraft *draft, PyObject *args)
{
    PyObject *given[2], *result = NULL;
    Array words = {0}, values = {0};
    WordDocument *document = draft->document;
    int64_t length = place_in(document, draft->memory).line->length;
    size_t size = line_size(document, length);
    char *memory = NULL;
    if (!PyArg_ParseTuple(args, "OO:values", &given[0], &given[1]) ||
        array_open(&words, given[0], "words", 'q', 1, 0) < 0 ||
        array_open(&values, given[1], "values", 'd', 1, 1) < 0)
        goto done;
    if (words.view.shape[0] != values.view.shape[0]) {
        PyErr_SetString(PyExc_ValueError, "values must have one entry for each word");
        goto done;
    }
    size_t room = (line_size(document, length + 1) + 15) & ~(size_t)15;
    memory = PyMem_Malloc(room + words_scratch(document, length + 1));
    if (!memory) {
        PyErr_NoMemory();
        goto done;
    }
    for (Py_ssize_t at = 0; at < words.view.shape[0]; at++) {
        int32_t word = check_word(document, ((const int64_t *)words.view.buf)[at]);
        if (word < 0)
            goto done;
        memcpy(memory, draft->memory, size);
        const Place place = place_in(document, memory);
        words_extend(document, &place, word, memory + room);
        ((double *)values.view.buf)[at] = value_of(document->document, memory);
    }
    result = Py_NewRef(Py_None);
done:
    PyMem_Free(memory);
    array_close(&words);
    array_close(&values);
    return result;
}

PyDoc_STRVAR(word_draft_scores_doc, "scores()\n--\n\nReturns the weighted score of every part.");

static PyObject *word_draft_scores(WordDraft *draft, PyObject *ignored)
{
    double scores[MAX_PARTS];
    (void)ignored;
    draft_scores(draft->document->document, draft->memory, scores);
    return float_tuple(scores, draft->document->document->reward->num_parts);
}

PyDoc_STRVAR(word_draft_value_doc, "value()\n--\n\nReturns the sum of the weighted scores.");

static PyObject *word_draft_value(WordDraft *draft, PyObject *ignored)
{
    (void)ignored;
    return PyFloat_FromDouble(value_of(draft->document->document, draft->memory));
}

static PyMethodDef word_draft_methods[] = {
    {"extend", (PyCFunction)word_draft_extend, METH_O, word_draft_extend_doc},
    {"values", (PyCFunction)word_draft_values, METH_VARARGS, word_draft_values_doc},
    {"scores", (PyCFunction)word_draft_scores, METH_NOARGS, word_draft_scores_doc},
    {"value", (PyCFunction)word_draft_value, METH_NOARGS, word_draft_value_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(word_draft_doc, "A draft of words of a document. A value: extend returns a new one.");

PyTypeObject WordDraftType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "lightbulb_envs.kernel._native.WordDraft",
    .tp_basicsize = offsetof(WordDraft, memory),
    .tp_itemsize = 1,
    .tp_dealloc = (destructor)word_draft_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = word_draft_doc,
    .tp_methods = word_draft_methods,
};

PyDoc_STRVAR(word_document_start_doc, "start()\n--\n\nReturns the empty draft of the document.");

static PyMethodDef word_document_methods[] = {
    {"start", (PyCFunction)word_document_start, METH_NOARGS, word_document_start_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(word_document_doc,
             "A document that is ready to be written about; made by compile_words.");

PyTypeObject WordDocumentType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "lightbulb_envs.kernel._native.WordDocument",
    .tp_basicsize = sizeof(WordDocument),
    .tp_dealloc = (destructor)words_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = word_document_doc,
    .tp_methods = word_document_methods,
};
