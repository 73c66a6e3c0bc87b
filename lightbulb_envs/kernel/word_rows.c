/* N episodes of writing word by word, a step of any number of them in one call.
 *
 * The specification is `PlainWriting` in engines/tokens_drafts.py. What is observed lies in arrays
 * that Python owns and that are written here. */
#include "steps.h"
#include "words.h"

/* Rows that are stepped together: dividing takes long, and is done for many rows at once. */
enum { CHUNK = 64 };

typedef struct {
    WordDocument *document;
    Place draft; /* in the memory of all rows */
    int64_t steps;
    int32_t has_ended;
    int32_t *taken; /* the actions so far, doubled, and 1 more where illegal */
    size_t num_taken, taken_room;
} Row;

typedef struct {
    PyObject_HEAD
    Reward *reward;
    Py_ssize_t num_rows, num_words, num_pieces, budget, token_lines, token_width;
    int64_t max_steps; /* 0: no limit */
    double penalty;
    Row *rows;
    double *scores; /* (parts, N) */
    double *told;   /* (parts, N) what matches are divided by for the recall */
    double *work;   /* (2 * parts + 1, CHUNK) what `draft_counts` writes, and rewards */
    float *shares;  /* (budget + 1,) what is left of the budget after so many words */
    char *memory, *scratch;
    size_t room, scratch_room; /* bytes of a row's memory, which all have, and of the scratch */
    Array tokens, words, article, draft, left, mask;
} WordRows;

static int word_rows_init(WordRows *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"reward", "penalty", "max_steps", "tokens", "words",
                            "article", "draft",  "left",      "mask",   NULL};
    PyObject *tokens, *words, *article, *draft, *left, *mask;
    Reward *reward;
    long long max_steps;
    if (self->rows) {
        PyErr_SetString(PyExc_TypeError, "WordRows cannot be initialised twice");
        return -1;
    }
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O!dLOOOOOO:WordRows", names, &RewardType,
                                     &reward, &self->penalty, &max_steps, &tokens, &words,
                                     &article, &draft, &left, &mask))
        return -1;
    if (max_steps < 0) {
        PyErr_SetString(PyExc_ValueError, "max_steps must be 0 or more");
        return -1;
    }
    self->max_steps = max_steps;
    Py_XSETREF(self->reward, (Reward *)Py_NewRef((PyObject *)reward));
    if (array_open(&self->tokens, tokens, "tokens", 'i', 3, 1) < 0 ||
        array_open(&self->words, words, "words", 'i', 3, 1) < 0 ||
        array_open(&self->article, article, "article", 'i', 3, 1) < 0 ||
        array_open(&self->draft, draft, "draft", 'i', 2, 1) < 0 ||
        array_open(&self->left, left, "left", 'f', 2, 1) < 0 ||
        array_open(&self->mask, mask, "mask", 'b', 2, 1) < 0)
        return -1;
    self->num_rows = self->tokens.view.shape[0];
    self->token_lines = self->tokens.view.shape[1];
    self->token_width = self->tokens.view.shape[2];
    self->num_words = self->words.view.shape[1];
    self->num_pieces = self->words.view.shape[2];
    self->budget = self->draft.view.shape[1];
    if (!array_has_shape(&self->words, self->num_rows, self->num_words, self->num_pieces) ||
        !array_has_shape(&self->article, self->num_rows, self->token_lines, self->token_width) ||
        !array_has_shape(&self->draft, self->num_rows, self->budget, 0) ||
        !array_has_shape(&self->left, self->num_rows, 1, 0) ||
        !array_has_shape(&self->mask, self->num_rows, self->num_words + 1, 0) ||
        self->budget < 1 || self->budget > INT32_MAX / 64) {
        PyErr_SetString(PyExc_ValueError,
                        "tokens and article must be (N, S, T), words (N, A, P), draft (N, budget), "
                        "left (N, 1) and mask (N, A + 1)");
        return -1;
    }
    self->rows = PyMem_Calloc(self->num_rows + 1, sizeof(Row));
    self->scores = PyMem_Calloc(self->num_rows * reward->num_parts + 1, sizeof(double));
    self->told = PyMem_Calloc(self->num_rows * reward->num_parts + 1, sizeof(double));
    self->work = PyMem_Calloc((2 * reward->num_parts + 1) * CHUNK, sizeof(double));
    self->shares = PyMem_Calloc(self->budget + 1, sizeof(float));
    if (!self->rows || !self->scores || !self->told || !self->work || !self->shares) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t written = 0; written <= self->budget; written++)
        self->shares[written] = (float)((double)(self->budget - written) / (double)self->budget);
    return 0;
}

static void word_rows_dealloc(WordRows *self)
{
    for (Py_ssize_t number = 0; self->rows && number < self->num_rows; number++) {
        Row *row = &self->rows[number];
        Py_XDECREF(row->document);
        PyMem_Free(row->taken);
    }
    PyMem_Free(self->rows);
    PyMem_Free(self->scores);
    PyMem_Free(self->told);
    PyMem_Free(self->work);
    PyMem_Free(self->shares);
    PyMem_Free(self->memory);
    PyMem_Free(self->scratch);
    array_close(&self->tokens);
    array_close(&self->words);
    array_close(&self->article);
    array_close(&self->draft);
    array_close(&self->left);
    array_close(&self->mask);
    Py_XDECREF(self->reward);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

/* ---- One row ----------------------------------------------------------------------------- */

static inline int32_t *draft_of(const WordRows *self, Py_ssize_t number)
{
    return (int32_t *)self->draft.view.buf + number * self->budget;
}

static inline int8_t *mask_of(const WordRows *self, Py_ssize_t number)
{
    return (int8_t *)self->mask.view.buf + number * (self->num_words + 1);
}

static inline void write_left(WordRows *self, Py_ssize_t number, int32_t written)
{
    ((float *)self->left.view.buf)[number] = self->shares[written];
}

static void restart_row(WordRows *self, Py_ssize_t number)
{
    Row *row = &self->rows[number];
    words_start(row->document, row->draft.state);
    for (int part = 0; part < self->reward->num_parts; part++)
        self->scores[part * self->num_rows + number] = 0.0; /* of an empty draft */
    row->num_taken = 0;
    row->steps = 0;
    row->has_ended = 0;
    memset(draft_of(self, number), 0, self->budget * sizeof(int32_t));
    memcpy(mask_of(self, number), row->document->mask, (size_t)self->num_words + 1);
    write_left(self, number, 0);
}

/* Adds a word to the draft, whose scores are not brought up to date; returns whether another fits. */
static int write_word(WordRows *self, Py_ssize_t number, int32_t word)
{
    Row *row = &self->rows[number];
    words_extend(row->document, &row->draft, word, self->scratch);
    int32_t written = row->draft.line->length;
    draft_of(self, number)[written - 1] = word + 1;
    write_left(self, number, written);
    if (written < self->budget)
        return 1;
    memset(mask_of(self, number), 0, (size_t)self->num_words);
    return 0;
}

/* A step of many rows waits for memory more than it counts. So what a row will need is called for
 * some rows ahead: its draft and its document, then what these point to, step by step. */
enum { NEAR = 2, MIDDLE = 5, FAR = 8 };

/* ---- Methods ----------------------------------------------------------------------------- */

static Row *row_of(WordRows *self, Py_ssize_t number)
{
    if (!self->rows || number < 0 || number >= self->num_rows) {
        PyErr_Format(PyExc_IndexError, "a row must be in [0, %zd), got %zd", self->num_rows, number);
        return NULL;
    }
    if (!self->rows[number].document) {
        PyErr_Format(PyExc_RuntimeError, "row %zd has no episode: call reset first", number);
        return NULL;
    }
    return &self->rows[number];
}

static Row *row_argument(WordRows *self, PyObject *argument)
{
    Py_ssize_t number = PyNumber_AsSsize_t(argument, PyExc_IndexError);
    return number == -1 && PyErr_Occurred() ? NULL : row_of(self, number);
}

/* Gives every row memory of so many bytes; returns -1 with MemoryError set. */
static int make_rooms(WordRows *self, size_t wanted)
{
    wanted = (wanted + 63) & ~(size_t)63;
    if (self->room >= wanted)
        return 0;
    char *memory = PyMem_Calloc(self->num_rows, wanted);
    if (!memory) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t number = 0; number < self->num_rows; number++) {
        Row *row = &self->rows[number];
        if (self->memory)
            memcpy(memory + number * wanted, self->memory + number * self->room, self->room);
        if (row->document)
            row->draft = place_in(row->document, memory + number * wanted);
    }
    PyMem_Free(self->memory);
    self->memory = memory;
    self->room = wanted;
    return 0;
}

/* Makes room to work in; returns -1 with MemoryError set. */
static int make_scratch(WordRows *self, size_t wanted)
{
    if (self->scratch_room >= wanted)
        return 0;
    char *scratch = PyMem_Realloc(self->scratch, wanted);
    if (!scratch) {
        PyErr_NoMemory();
        return -1;
    }
    self->scratch = scratch;
    self->scratch_room = wanted;
    return 0;
}

static int load_row(WordRows *self, Py_ssize_t number, PyObject *item)
{
    if (!self->rows || number < 0 || number >= self->num_rows) {
        PyErr_Format(PyExc_IndexError, "a row must be in [0, %zd), got %zd", self->num_rows, number);
        return -1;
    }
    if (!PyObject_TypeCheck(item, &WordDocumentType)) {
        PyErr_Format(PyExc_TypeError, "load needs WordDocuments, got %.100s",
                     Py_TYPE(item)->tp_name);
        return -1;
    }
    Row *row = &self->rows[number];
    WordDocument *document = (WordDocument *)item;
    const Document *own = document->document;
    if (own->reward != self->reward || own->tokens.shape[0] != self->token_lines ||
        own->tokens.shape[1] != self->token_width ||
        document->article.shape[0] != self->token_lines ||
        document->article.shape[1] != self->token_width || document->num_words != self->num_words ||
        document->num_pieces != self->num_pieces) {
        PyErr_SetString(PyExc_ValueError,
                        "the document was compiled for another reward or another observation");
        return -1;
    }
    if (make_rooms(self, line_size(document, self->budget)) < 0 ||
        make_scratch(self, words_scratch(document, self->budget)) < 0)
        return -1;
    const WordDocument *before = row->document;
    Py_ssize_t text = number * self->token_lines * self->token_width;
    lines_write(&own->tokens, before ? &before->document->tokens : NULL,
                (int32_t *)self->tokens.view.buf + text);
    lines_write(&document->article, before ? &before->article : NULL,
                (int32_t *)self->article.view.buf + text);
    words_write_pieces(document, before,
                       (int32_t *)self->words.view.buf +
                           (size_t)number * self->num_words * self->num_pieces);
    Py_INCREF(item);
    Py_XSETREF(row->document, document);
    row->draft = place_in(document, self->memory + number * self->room);
    for (int part = 0; part < self->reward->num_parts; part++)
        self->told[part * self->num_rows + number] = draft_told(own, part);
    restart_row(self, number);
    return 0;
}

/* Calls for what loading a document reads: first the document itself, later what it points to. */
static void prefetch_document(PyObject *item, int is_here)
{
    const WordDocument *document = (const WordDocument *)item;
    if (!is_here) {
        prefetch_lines(item, sizeof(WordDocument), sizeof(WordDocument));
        return;
    }
    if (!PyObject_TypeCheck(item, &WordDocumentType))
        return;
    prefetch_lines(document->document, sizeof(Document), sizeof(Document));
    prefetch_lines(document->pieces, 1024, 1024);
    prefetch_lines(document->mask, 320, 320);
    prefetch_lines(document->article.values, 512, 512);
}

PyDoc_STRVAR(word_rows_load_doc, "load(rows, documents)\n--\n\n"
                                 "Starts an episode of a document in every row of `rows` (int64).");

static PyObject *word_rows_load(WordRows *self, PyObject *args)
{
    PyObject *given, *documents;
    Array rows = {0};
    int failed;
    if (!PyArg_ParseTuple(args, "OO!:load", &given, &PyList_Type, &documents) ||
        array_open(&rows, given, "rows", 'q', 1, 0) < 0)
        return NULL;
    failed = PyList_GET_SIZE(documents) != rows.view.shape[0];
    if (failed)
        PyErr_SetString(PyExc_ValueError, "load needs one document for each row");
    for (Py_ssize_t at = 0; !failed && at < rows.view.shape[0]; at++) {
        if (at + FAR < PyList_GET_SIZE(documents))
            prefetch_document(PyList_GET_ITEM(documents, at + FAR), 0);
        if (at + NEAR < PyList_GET_SIZE(documents))
            prefetch_document(PyList_GET_ITEM(documents, at + NEAR), 1);
        failed = load_row(self, (Py_ssize_t)((const int64_t *)rows.view.buf)[at],
                          PyList_GET_ITEM(documents, at)) < 0;
    }
    array_close(&rows);
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(word_rows_load_row_doc, "load_row(row, document)\n--\n\n"
                                     "Starts an episode of a document in one row.");

static PyObject *word_rows_load_row(WordRows *self, PyObject *const *args, Py_ssize_t num_args)
{
    if (num_args != 2) {
        PyErr_SetString(PyExc_TypeError, "load_row needs a row and a document");
        return NULL;
    }
    Py_ssize_t number = PyNumber_AsSsize_t(args[0], PyExc_IndexError);
    if ((number == -1 && PyErr_Occurred()) || load_row(self, number, args[1]) < 0)
        return NULL;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(word_rows_restart_doc,
             "restart(rows)\n--\n\n"
             "Starts an episode of the same document in every row of `rows`.");

static PyObject *word_rows_restart(WordRows *self, PyObject *given)
{
    Array rows = {0};
    int failed = 0;
    if (array_open(&rows, given, "rows", 'q', 1, 0) < 0)
        return NULL;
    for (Py_ssize_t at = 0; !failed && at < rows.view.shape[0]; at++) {
        int64_t number = ((const int64_t *)rows.view.buf)[at];
        failed = !row_of(self, (Py_ssize_t)number);
        if (!failed)
            restart_row(self, (Py_ssize_t)number);
    }
    array_close(&rows);
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

static inline void prefetch_far(const Row *row)
{
    PREFETCH(row->document);
    size_t size = (size_t)((char *)row->draft.line - row->draft.state) + 64;
    prefetch_lines(row->draft.state, size, 1024);
}

static inline void prefetch_middle(const Row *row, int64_t word)
{
    const WordDocument *document = row->document;
    prefetch_lines(document->document, sizeof(Document), sizeof(Document));
    if (word < document->num_words)
        PREFETCH(&document->words[word]);
}

static inline void prefetch_near(const WordRows *self, const Row *row)
{
    const Document *document = row->document->document;
    PREFETCH(document->at_left);
    for (int slot = 0; slot < self->reward->num_ngrams; slot++)
        if (self->reward->ngrams[slot].n > 1) {
            PREFETCH(&document->grams[slot]);
            PREFETCH(document->grams[slot].first);
        }
    for (int reading = 0; reading < READINGS; reading++)
        if (self->reward->uses_l[reading])
            prefetch_lines(document->references[reading].places, 256, 256);
}

/* Checks a whole step before any of it is taken. Returns 1, 0 for an action outside the action
 * space, and -1 with an error set. */
static int check_step(WordRows *self, const int64_t *rows, const int64_t *actions, Py_ssize_t count)
{
    for (Py_ssize_t at = 0; at < count; at++)
        if (actions[at] < 0 || actions[at] > self->num_words)
            return 0;
    for (Py_ssize_t at = 0; at < count; at++) {
        Row *row = row_of(self, (Py_ssize_t)rows[at]);
        if (!row)
            return -1;
        if (row->has_ended) {
            PyErr_Format(PyExc_RuntimeError, "the episode of row %zd has ended: call reset first",
                         (Py_ssize_t)rows[at]);
            return -1;
        }
    }
    return 1;
}

/* Notes an action; returns -1 with MemoryError set. What it paid can be found out again. */
static int note(Row *row, int64_t action, int is_illegal)
{
    if (row->num_taken == row->taken_room) {
        size_t room = row->taken_room ? 2 * row->taken_room : 64;
        int32_t *taken = PyMem_Realloc(row->taken, room * sizeof(int32_t));
        if (!taken) {
            PyErr_NoMemory();
            return -1;
        }
        row->taken = taken;
        row->taken_room = room;
    }
    row->taken[row->num_taken++] = (int32_t)(2 * action + is_illegal);
    return 0;
}

/* What an action was. */
typedef struct {
    uint8_t wrote, is_illegal;
} Did;

/* Takes an action, but for its scores; returns -1 with an error set. */
static int act(WordRows *self, Py_ssize_t number, int64_t action, Py_ssize_t at, Outcome *outcome,
               Did *did)
{
    Row *row = &self->rows[number];
    int is_stop = action == self->num_words, is_done = is_stop;
    if (row->has_ended) {
        PyErr_Format(PyExc_RuntimeError, "row %zd is named twice, and its episode has ended", number);
        return -1;
    }
    /* A draft that is full has ended, unless Python has said otherwise of it. */
    did->is_illegal = !is_stop && (!row->document->words[action].is_legal ||
                                   row->draft.line->length >= self->budget);
    if (note(row, action, did->is_illegal) < 0)
        return -1;
    row->steps++;
    did->wrote = !is_stop && !did->is_illegal;
    if (did->wrote)
        is_done = !write_word(self, number, (int32_t)action);
    outcome->terminated[at] = (uint8_t)is_done;
    outcome->truncated[at] = self->max_steps && row->steps >= self->max_steps;
    outcome->is_illegal[at] = did->is_illegal;
    row->has_ended = is_done || outcome->truncated[at];
    return 0;
}

/* Scores a part of drafts, from what `draft_counts` wrote; into the place of what matched. */
static void score_part(const WordRows *self, int number, const int64_t *rows, Py_ssize_t count)
{
    const Part *part = &self->reward->parts[number];
    double *matched = self->work + 2 * number * CHUNK, *tried = matched + CHUNK;
    double weight = part->weight, told[CHUNK];
    const double *told_all = self->told + number * self->num_rows;
    for (Py_ssize_t row = 0; row < count; row++)
        told[row] = told_all[rows[row]];
    if (is_f1(part))
        for (Py_ssize_t row = 0; row < count; row++) {
            double none = matched[row] == 0 ? 1.0 : 0.0; /* nothing is divided by 0 */
            double precision = matched[row] / tried[row], recall = matched[row] / told[row];
            matched[row] = 2 * precision * recall / (precision + recall + none);
        }
    for (Py_ssize_t row = 0; row < count; row++)
        matched[row] *= weight;
}

/* Pays rows what their scores gained, and the penalty of what was illegal. */
static void pay(WordRows *self, const int64_t *rows, Py_ssize_t first, Py_ssize_t count, int among,
                const Did *did, Outcome *outcome)
{
    int parts = self->reward->num_parts;
    double *total = self->work + 2 * parts * CHUNK;
    memset(total, 0, (size_t)count * sizeof(double));
    for (int part = 0; part <= parts; part++) {
        const double *scores = self->work + 2 * part * CHUNK;
        double *before = self->scores + part * self->num_rows;
        double *paid = outcome->parts + part * outcome->stride;
        for (Py_ssize_t row = 0; row < count; row++) {
            int64_t number = rows[first + row];
            double gain = 0.0;
            if (part == parts)
                gain = did[row].is_illegal ? -self->penalty : 0.0;
            else if (did[row].wrote) {
                gain = scores[row] - before[number];
                before[number] = scores[row];
            }
            paid[among ? number : first + row] = gain;
            total[row] += gain;
        }
    }
    for (Py_ssize_t row = 0; row < count; row++)
        outcome->reward[among ? rows[first + row] : first + row] = total[row];
}

/* Takes actions in a chunk of rows; returns -1 with an error set, and what came before is done. */
static int step_chunk(WordRows *self, const int64_t *rows, const int64_t *actions, Py_ssize_t first,
                      Py_ssize_t count, Py_ssize_t all, int among, Outcome *outcome)
{
    Did did[CHUNK];
    int parts = self->reward->num_parts, failed = 0;
    Py_ssize_t done = 0;
    for (; done < count; done++) {
        Py_ssize_t at = first + done, number = (Py_ssize_t)rows[at];
        if (at + FAR < all)
            prefetch_far(&self->rows[rows[at + FAR]]);
        if (at + MIDDLE < all)
            prefetch_middle(&self->rows[rows[at + MIDDLE]], actions[at + MIDDLE]);
        if (at + NEAR < all)
            prefetch_near(self, &self->rows[rows[at + NEAR]]);
        failed = act(self, number, actions[at], among ? number : at, outcome, &did[done]) < 0;
        if (failed)
            break;
        const Row *row = &self->rows[number];
        draft_counts(row->document->document, row->draft.state, self->work + done, CHUNK);
    }
    for (int part = 0; part < parts; part++)
        score_part(self, part, rows + first, done);
    pay(self, rows, first, done, among, did, outcome);
    return failed ? -1 : 0;
}

PyDoc_STRVAR(word_rows_step_doc,
             "step(rows, actions, paid, flags, among)\n--\n\n"
             "Takes one action in every row of `rows`, as `Rows.step` does.");

static PyObject *word_rows_step(WordRows *self, PyObject *const *args, Py_ssize_t num_args)
{
    StepArguments step;
    int done = -1;
    if (!self->rows) {
        PyErr_SetString(PyExc_ValueError, "WordRows has not been initialised");
        return NULL;
    }
    if (step_open(&step, args, num_args, self->num_rows, self->reward->num_parts) < 0)
        goto close;
    done = check_step(self, step.rows, step.actions, step.count);
    for (Py_ssize_t first = 0; done == 1 && first < step.count; first += CHUNK) {
        Py_ssize_t left = step.count - first;
        if (step_chunk(self, step.rows, step.actions, first, left < CHUNK ? left : CHUNK, step.count,
                       step.among, &step.outcome) < 0)
            done = -1;
    }
close:
    step_close(&step);
    return done < 0 ? NULL : PyBool_FromLong(done);
}

PyDoc_STRVAR(word_rows_step_row_doc, "step_row(row, action, names)\n--\n\n"
                                     "Takes an action in one row, as `Rows.step_row` does.");

static PyObject *word_rows_step_row(WordRows *self, PyObject *const *args, Py_ssize_t num_args)
{
    int64_t number, action;
    int num_parts = self->rows ? self->reward->num_parts : -1;
    if (step_row_arguments(args, num_args, num_parts, &number, &action) < 0)
        return NULL;
    double reward, paid[MAX_PARTS + 1];
    uint8_t terminated, truncated, is_illegal;
    Outcome outcome = {&reward, paid, &terminated, &truncated, &is_illegal, 1};
    int done = check_step(self, &number, &action, 1);
    if (done < 0)
        return NULL;
    if (!done)
        Py_RETURN_NONE;
    if (step_chunk(self, &number, &action, 0, 1, 1, 0, &outcome) < 0)
        return NULL;
    return step_told(args[2], &outcome);
}

PyDoc_STRVAR(word_rows_draft_doc, "draft(row)\n--\n\nReturns the actions that wrote, in order.");

static PyObject *word_rows_draft(WordRows *self, PyObject *argument)
{
    Row *row = row_argument(self, argument);
    const Line *line = row ? row->draft.line : NULL;
    PyObject *result = row ? PyTuple_New(line->length) : NULL;
    for (int32_t place = 0; result && place < line->length; place++) {
        PyObject *word = PyLong_FromLong(line->words[place]);
        if (!word)
            Py_CLEAR(result);
        else
            PyTuple_SET_ITEM(result, place, word);
    }
    return result;
}

PyDoc_STRVAR(word_rows_scores_doc, "scores(row)\n--\n\nReturns the weighted score of every part.");

static PyObject *word_rows_scores(WordRows *self, PyObject *argument)
{
    Row *row = row_argument(self, argument);
    double scores[MAX_PARTS];
    if (!row)
        return NULL;
    for (int part = 0; part < self->reward->num_parts; part++)
        scores[part] = self->scores[part * self->num_rows + (row - self->rows)];
    return float_tuple(scores, self->reward->num_parts);
}

PyDoc_STRVAR(word_rows_clock_doc, "clock(row)\n--\n\nReturns the steps taken, and whether it ended.");

static PyObject *word_rows_clock(WordRows *self, PyObject *argument)
{
    Row *row = row_argument(self, argument);
    return row ? Py_BuildValue("LN", (long long)row->steps, PyBool_FromLong(row->has_ended)) : NULL;
}

PyDoc_STRVAR(word_rows_taken_doc,
             "taken(row)\n--\n\nReturns (action, parts, is_illegal) for every step taken.");

/* Plays an episode again; returns what was taken, and what it paid. */
static PyObject *play_again(const WordRows *self, const Row *row, char *memory)
{
    int parts = self->reward->num_parts;
    double before[MAX_PARTS] = {0}, after[MAX_PARTS], paid[MAX_PARTS + 1];
    PyObject *result = PyList_New((Py_ssize_t)row->num_taken);
    const Place place = place_in(row->document, memory);
    words_start(row->document, memory);
    for (size_t number = 0; result && number < row->num_taken; number++) {
        int64_t action = row->taken[number] / 2;
        int is_illegal = row->taken[number] % 2;
        memset(paid, 0, sizeof(paid));
        if (is_illegal)
            paid[parts] = -self->penalty;
        else if (action != self->num_words) {
            words_extend(row->document, &place, (int32_t)action, self->scratch);
            draft_scores(row->document->document, memory, after);
            for (int part = 0; part < parts; part++)
                paid[part] = after[part] - before[part];
            memcpy(before, after, sizeof(before));
        }
        PyObject *told = float_tuple(paid, parts + 1);
        PyObject *entry = told ? Py_BuildValue("LNN", (long long)action, told,
                                               PyBool_FromLong(is_illegal))
                               : NULL;
        if (!entry)
            Py_CLEAR(result);
        else
            PyList_SET_ITEM(result, (Py_ssize_t)number, entry);
    }
    return result;
}

static PyObject *word_rows_taken(WordRows *self, PyObject *argument)
{
    Row *row = row_argument(self, argument);
    char *memory = row ? PyMem_Malloc(line_size(row->document, self->budget)) : NULL;
    if (!memory)
        return row ? PyErr_NoMemory() : NULL;
    PyObject *result = play_again(self, row, memory);
    PyMem_Free(memory);
    return result;
}

PyDoc_STRVAR(word_rows_resume_doc,
             "resume(row, draft, steps, has_ended, taken)\n--\n\n"
             "Makes a row's episode what `draft`, `clock` and `taken` told of it.");

/* Reads the steps taken, which must have written the draft; returns -1 with an error set. */
static int resume_taken(const WordRows *self, Row *row, PyObject *taken)
{
    const Line *line = row->draft.line;
    int32_t written = 0;
    for (Py_ssize_t place = 0; place < PyList_GET_SIZE(taken); place++) {
        PyObject *entry = PyList_GET_ITEM(taken, place), *paid;
        long long action;
        int is_illegal;
        if (!PyTuple_Check(entry) || !PyArg_ParseTuple(entry, "LOp", &action, &paid, &is_illegal)) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_TypeError, "taken must be a list of tuples");
            return -1;
        }
        int is_word = !is_illegal && action != self->num_words;
        if (action < 0 || action > self->num_words ||
            (is_word && (written >= line->length || line->words[written] != action))) {
            PyErr_Format(PyExc_ValueError, "action %lld did not write this draft", action);
            return -1;
        }
        written += is_word;
        if (note(row, action, is_illegal) < 0)
            return -1;
    }
    if (written != line->length) {
        PyErr_SetString(PyExc_ValueError, "the steps taken did not write the whole draft");
        return -1;
    }
    return 0;
}

static PyObject *word_rows_resume(WordRows *self, PyObject *args)
{
    Py_ssize_t number;
    PyObject *draft, *taken;
    long long steps;
    int has_ended;
    double scores[MAX_PARTS];
    if (!PyArg_ParseTuple(args, "nO!LpO!:resume", &number, &PyTuple_Type, &draft, &steps,
                          &has_ended, &PyList_Type, &taken))
        return NULL;
    Row *row = row_of(self, number);
    if (!row)
        return NULL;
    restart_row(self, number);
    for (Py_ssize_t place = 0; place < PyTuple_GET_SIZE(draft); place++) {
        Py_ssize_t word = PyNumber_AsSsize_t(PyTuple_GET_ITEM(draft, place), PyExc_IndexError);
        if (word == -1 && PyErr_Occurred())
            return NULL;
        if (word < 0 || word >= self->num_words || place >= self->budget) {
            PyErr_Format(PyExc_ValueError, "a draft cannot hold word %zd here", word);
            return NULL;
        }
        write_word(self, number, (int32_t)word);
    }
    draft_scores(row->document->document, row->draft.state, scores);
    for (int part = 0; part < self->reward->num_parts; part++)
        self->scores[part * self->num_rows + number] = scores[part];
    row->steps = steps;
    row->has_ended = has_ended;
    if (resume_taken(self, row, taken) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef word_rows_methods[] = {
    {"load", (PyCFunction)word_rows_load, METH_VARARGS, word_rows_load_doc},
    {"load_row", (PyCFunction)(void (*)(void))word_rows_load_row, METH_FASTCALL,
     word_rows_load_row_doc},
    {"restart", (PyCFunction)word_rows_restart, METH_O, word_rows_restart_doc},
    {"step", (PyCFunction)(void (*)(void))word_rows_step, METH_FASTCALL, word_rows_step_doc},
    {"step_row", (PyCFunction)(void (*)(void))word_rows_step_row, METH_FASTCALL,
     word_rows_step_row_doc},
    {"draft", (PyCFunction)word_rows_draft, METH_O, word_rows_draft_doc},
    {"scores", (PyCFunction)word_rows_scores, METH_O, word_rows_scores_doc},
    {"clock", (PyCFunction)word_rows_clock, METH_O, word_rows_clock_doc},
    {"taken", (PyCFunction)word_rows_taken, METH_O, word_rows_taken_doc},
    {"resume", (PyCFunction)word_rows_resume, METH_VARARGS, word_rows_resume_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(word_rows_doc,
             "WordRows(reward, penalty, max_steps, tokens, words, article, draft, left, mask)\n"
             "--\n\nN episodes; the arrays are what is observed, and written to.");

PyTypeObject WordRowsType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "lightbulb_envs.kernel._native.WordRows",
    .tp_basicsize = sizeof(WordRows),
    .tp_dealloc = (destructor)word_rows_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = word_rows_doc,
    .tp_methods = word_rows_methods,
    .tp_init = (initproc)word_rows_init,
    .tp_new = PyType_GenericNew,
};
