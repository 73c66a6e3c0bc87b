/* N episodes of picking sentences, a step of any number of them in one call.
 *
 * The specification is `PlainDrafts` in engines/drafts.py. What is observed lies in arrays that
 * Python owns and that are written here. */
#include "steps.h"

typedef struct {
    Document *document;
    char *state;
    double *scores; /* (parts,) */
    int32_t *draft;
    int32_t num_drafted, has_ended;
    int64_t left, steps;
    Steps taken;
    size_t state_room, draft_room;
} Row;

typedef struct {
    PyObject_HEAD
    Reward *reward;
    Py_ssize_t num_rows, sentences;
    Py_ssize_t token_width;
    int64_t budget, max_steps; /* max_steps 0: no limit */
    int counts_words;
    double penalty;
    Row *rows;
    double *scores; /* of all rows */
    Array tokens, selected, left, mask;
} Rows;

static int rows_init(Rows *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"reward",  "budget",   "counts_words", "penalty", "max_steps",
                            "tokens",  "selected", "left",         "mask",    NULL};
    PyObject *tokens, *selected, *left, *mask;
    Reward *reward;
    long long budget, max_steps;
    if (self->rows) {
        PyErr_SetString(PyExc_TypeError, "Rows cannot be initialised twice");
        return -1;
    }
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O!LpdLOOOO:Rows", names, &RewardType, &reward,
                                     &budget, &self->counts_words, &self->penalty, &max_steps,
                                     &tokens, &selected, &left, &mask))
        return -1;
    if (budget < 1 || max_steps < 0) {
        PyErr_SetString(PyExc_ValueError, "budget must be 1 or more, max_steps 0 or more");
        return -1;
    }
    self->budget = budget;
    self->max_steps = max_steps;
    Py_XSETREF(self->reward, (Reward *)Py_NewRef((PyObject *)reward));
    if (array_open(&self->tokens, tokens, "tokens", 'i', 3, 1) < 0 ||
        array_open(&self->selected, selected, "selected", 'b', 2, 1) < 0 ||
        array_open(&self->left, left, "left", 'f', 2, 1) < 0 ||
        array_open(&self->mask, mask, "mask", 'b', 2, 1) < 0)
        return -1;
    const Py_ssize_t *shape = self->tokens.view.shape;
    self->num_rows = shape[0];
    self->sentences = shape[1];
    self->token_width = shape[2];
    if (self->selected.view.shape[0] != self->num_rows ||
        self->selected.view.shape[1] != self->sentences ||
        self->left.view.shape[0] != self->num_rows || self->left.view.shape[1] != 1 ||
        self->mask.view.shape[0] != self->num_rows ||
        self->mask.view.shape[1] != self->sentences + 1) {
        PyErr_SetString(PyExc_ValueError, "tokens must be (N, S, T), selected (N, S), left (N, 1) "
                                          "and mask (N, S + 1)");
        return -1;
    }
    self->rows = PyMem_Calloc(self->num_rows + 1, sizeof(Row));
    self->scores = PyMem_Calloc(self->num_rows * reward->num_parts + 1, sizeof(double));
    if (!self->rows || !self->scores) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t number = 0; number < self->num_rows; number++)
        self->rows[number].scores = self->scores + number * reward->num_parts;
    return 0;
}

static void rows_dealloc(Rows *self)
{
    for (Py_ssize_t number = 0; self->rows && number < self->num_rows; number++) {
        Row *row = &self->rows[number];
        Py_XDECREF(row->document);
        PyMem_Free(row->state);
        PyMem_Free(row->draft);
        PyMem_Free(row->taken.steps);
    }
    PyMem_Free(self->rows);
    PyMem_Free(self->scores);
    array_close(&self->tokens);
    array_close(&self->selected);
    array_close(&self->left);
    array_close(&self->mask);
    Py_XDECREF(self->reward);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

/* ---- One row ----------------------------------------------------------------------------- */

static int64_t cost_of(const Rows *self, const Row *row, int64_t sentence)
{
    return self->counts_words ? row->document->sentences[sentence].length : 1;
}

static void write_left(Rows *self, Py_ssize_t number)
{
    double share = (double)self->rows[number].left / (double)self->budget;
    ((float *)self->left.view.buf)[number] = (float)share;
}

/* Brings the mask of a row that counts words up to date; returns whether a pick is legal. */
static int update_words(Rows *self, Py_ssize_t number, int8_t *mask)
{
    const Row *row = &self->rows[number];
    const int8_t *selected = (const int8_t *)self->selected.view.buf + number * self->sentences;
    int any = 0, count = row->document->num_sentences;
    for (int place = 0; place < count; place++) {
        mask[place] = !selected[place] && row->document->sentences[place].length <= row->left;
        any |= mask[place];
    }
    return any;
}

/* Brings what a row observes after a pick up to date; returns whether another is legal. */
static int update_row(Rows *self, Py_ssize_t number, int64_t sentence)
{
    const Row *row = &self->rows[number];
    int8_t *mask = (int8_t *)self->mask.view.buf + number * (self->sentences + 1);
    write_left(self, number);
    if (self->counts_words)
        return update_words(self, number, mask);
    mask[sentence] = 0;
    if (row->left >= 1)
        return row->num_drafted < row->document->num_sentences;
    memset(mask, 0, row->document->num_sentences);
    return 0;
}

static void restart_row(Rows *self, Py_ssize_t number)
{
    Row *row = &self->rows[number];
    int8_t *mask = (int8_t *)self->mask.view.buf + number * (self->sentences + 1);
    int32_t count = row->document->num_sentences;
    memcpy(row->state, row->document->start, row->document->state_size);
    memset(row->scores, 0, self->reward->num_parts * sizeof(double)); /* of an empty draft */
    row->num_drafted = 0;
    row->taken.count = 0;
    row->left = self->budget;
    row->steps = 0;
    row->has_ended = 0;
    memset((int8_t *)self->selected.view.buf + number * self->sentences, 0, self->sentences);
    memset(mask, 1, count);
    memset(mask + count, 0, self->sentences - count);
    mask[self->sentences] = 1;
    if (self->counts_words)
        update_words(self, number, mask);
    write_left(self, number);
}

/* Adds a ready sentence to the draft, and writes the gains; returns whether a pick is legal. */
static int pick(Rows *self, Py_ssize_t number, int64_t sentence, double *gains)
{
    Row *row = &self->rows[number];
    double before[MAX_PARTS];
    int parts = self->reward->num_parts;
    memcpy(before, row->scores, parts * sizeof(double));
    draft_extend(row->document, row->state, &row->document->sentences[sentence]);
    draft_scores(row->document, row->state, row->scores);
    for (int part = 0; part < parts; part++)
        gains[part] = row->scores[part] - before[part];
    row->draft[row->num_drafted++] = (int32_t)sentence;
    row->left -= cost_of(self, row, sentence);
    ((int8_t *)self->selected.view.buf)[number * self->sentences + sentence] =
        (int8_t)row->num_drafted;
    return update_row(self, number, sentence);
}

/* ---- Methods ----------------------------------------------------------------------------- */

static Row *row_of(Rows *self, Py_ssize_t number)
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

static Row *row_argument(Rows *self, PyObject *argument)
{
    Py_ssize_t number = PyNumber_AsSsize_t(argument, PyExc_IndexError);
    return number == -1 && PyErr_Occurred() ? NULL : row_of(self, number);
}

static int load_row(Rows *self, Py_ssize_t number, PyObject *item)
{
    if (!self->rows || number < 0 || number >= self->num_rows) {
        PyErr_Format(PyExc_IndexError, "a row must be in [0, %zd), got %zd", self->num_rows, number);
        return -1;
    }
    if (!PyObject_TypeCheck(item, &DocumentType)) {
        PyErr_Format(PyExc_TypeError, "load needs Documents, got %.100s", Py_TYPE(item)->tp_name);
        return -1;
    }
    Row *row = &self->rows[number];
    Document *document = (Document *)item;
    if (document->reward != self->reward || document->tokens.shape[0] != self->sentences ||
        document->tokens.shape[1] != self->token_width ||
        document->num_sentences > self->sentences) {
        PyErr_SetString(PyExc_ValueError,
                        "the document was compiled for another reward or another observation");
        return -1;
    }
    if (row->draft_room < (size_t)document->num_sentences) {
        int32_t *draft = PyMem_Realloc(row->draft, document->num_sentences * sizeof(int32_t));
        if (draft) {
            row->draft = draft;
            row->draft_room = document->num_sentences;
        }
    }
    if (row->state_room < document->state_size) {
        char *state = PyMem_Realloc(row->state, document->state_size);
        if (state) {
            row->state = state;
            row->state_room = document->state_size;
        }
    }
    if (row->draft_room < (size_t)document->num_sentences ||
        row->state_room < document->state_size) {
        PyErr_NoMemory();
        return -1;
    }
    Py_INCREF(item);
    Py_XSETREF(row->document, document);
    lines_write(&document->tokens, NULL,
                (int32_t *)self->tokens.view.buf + number * self->sentences * self->token_width);
    restart_row(self, number);
    return 0;
}

/* Calls for what loading a document reads: first the document itself, later what it points to. */
static void prefetch_document(PyObject *documents, Py_ssize_t at, int is_here)
{
    if (at >= PyList_GET_SIZE(documents))
        return;
    const char *document = (const char *)PyList_GET_ITEM(documents, at);
    if (!is_here) {
        for (size_t line = 0; line < sizeof(Document); line += 64)
            PREFETCH(document + line);
        return;
    }
    const Document *known = (const Document *)document;
    if (!PyObject_TypeCheck((PyObject *)document, &DocumentType))
        return;
    PREFETCH(known->tokens.ends);
    for (size_t line = 0; line < 1024; line += 64)
        PREFETCH((const char *)known->tokens.values + line);
    for (size_t line = 0; line < known->state_size && line < 512; line += 64)
        PREFETCH(known->start + line);
}

PyDoc_STRVAR(rows_load_doc, "load(rows, documents)\n--\n\n"
                            "Starts an episode of a document in every row of `rows` (int64).");

static PyObject *rows_load(Rows *self, PyObject *args)
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
        prefetch_document(documents, at + 8, 0);
        prefetch_document(documents, at + 4, 1);
        failed = load_row(self, ((const int64_t *)rows.view.buf)[at],
                          PyList_GET_ITEM(documents, at)) < 0;
    }
    array_close(&rows);
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(rows_load_row_doc, "load_row(row, document)\n--\n\n"
                                "Starts an episode of a document in one row.");

static PyObject *rows_load_row(Rows *self, PyObject *const *args, Py_ssize_t num_args)
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

PyDoc_STRVAR(rows_restart_doc, "restart(rows)\n--\n\n"
                               "Starts an episode of the same document in every row of `rows`.");

static PyObject *rows_restart(Rows *self, PyObject *given)
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

/* A step of many rows waits for memory more than it counts. So what a row will need is called for
 * some rows ahead: its document, then the sentence, then what both point to. */
enum { NEAR = 3, FAR = 6 };

static const Row *row_ahead(const Rows *self, const int64_t *rows, Py_ssize_t at, Py_ssize_t count)
{
    if (at >= count || rows[at] < 0 || rows[at] >= self->num_rows || !self->rows[rows[at]].document)
        return NULL;
    return &self->rows[rows[at]];
}

static void prefetch_sentence(const Row *row, int64_t action)
{
    if (row && action < row->document->num_sentences)
        prefetch_lines(&row->document->sentences[action], sizeof(Sentence), sizeof(Sentence));
}

/* Checks a whole step before any of it is taken. Returns 1, 0 for an action outside the action
 * space, and -1 with an error set. */
static int check_step(Rows *self, const int64_t *rows, const int64_t *actions, Py_ssize_t count)
{
    for (Py_ssize_t at = 0; at < count; at++)
        if (actions[at] < 0 || actions[at] > self->sentences)
            return 0;
    for (Py_ssize_t at = 0; at < count; at++) {
        const Row *far = row_ahead(self, rows, at + FAR, count);
        const Row *near = row_ahead(self, rows, at + NEAR, count);
        if (far)
            prefetch_lines(far->document, sizeof(Document), sizeof(Document));
        if (near)
            prefetch_sentence(near, actions[at + NEAR]);
        Row *row = row_of(self, (Py_ssize_t)rows[at]);
        if (!row)
            return -1;
        if (row->has_ended) {
            PyErr_Format(PyExc_RuntimeError, "the episode of row %zd has ended: call reset first",
                         (Py_ssize_t)rows[at]);
            return -1;
        }
        if (steps_make_room(&row->taken, self->reward->num_parts) < 0)
            return -1;
        if (actions[at] < row->document->num_sentences) {
            Sentence *sentence = &row->document->sentences[actions[at]];
            if (!sentence->is_ready && sentence_prepare(row->document, sentence) < 0)
                return -1;
        }
    }
    return 1;
}

static void step_row(Rows *self, Py_ssize_t number, int64_t action, Py_ssize_t at, Outcome *outcome)
{
    Row *row = &self->rows[number];
    int parts = self->reward->num_parts;
    Taken *taken = step_at(&row->taken, parts, row->taken.count++);
    double *paid = taken->paid, total = 0.0;
    const int8_t *mask = (const int8_t *)self->mask.view.buf + number * (self->sentences + 1);
    int32_t count = row->document->num_sentences;
    int is_done = 0, is_stop = action == self->sentences;
    /* The mask is Python's to write to: what it says is not relied on for memory. */
    int is_illegal = !mask[action] || (!is_stop && (action >= count || row->num_drafted >= count));
    memset(paid, 0, (parts + 1) * sizeof(double));
    row->steps++;
    if (is_illegal)
        paid[parts] = -self->penalty;
    else if (is_stop)
        is_done = 1;
    else
        is_done = !pick(self, number, action, paid);
    for (int part = 0; part <= parts; part++) {
        total += paid[part];
        outcome->parts[part * outcome->stride + at] = paid[part];
    }
    outcome->reward[at] = total;
    outcome->terminated[at] = (uint8_t)is_done;
    outcome->truncated[at] = self->max_steps && row->steps >= self->max_steps;
    outcome->is_illegal[at] = (uint8_t)is_illegal;
    row->has_ended = is_done || outcome->truncated[at];
    taken->action = action;
    taken->is_illegal = is_illegal;
}

PyDoc_STRVAR(rows_step_doc,
             "step(rows, actions, paid, flags, among)\n--\n\n"
             "Takes one action in every row of `rows`, and writes the reward and its parts (1 + P, n)\n"
             "and whether it terminated, was truncated, was illegal (3, n): in the order of `rows`,\n"
             "or, `among` all rows, in the place of each. Returns False, with nothing done, for\n"
             "actions outside their space.");

static PyObject *rows_step(Rows *self, PyObject *const *args, Py_ssize_t num_args)
{
    StepArguments step;
    int done = -1;
    if (!self->rows) {
        PyErr_SetString(PyExc_ValueError, "Rows has not been initialised");
        return NULL;
    }
    if (step_open(&step, args, num_args, self->num_rows, self->reward->num_parts) < 0)
        goto close;
    const int64_t *rows = step.rows, *actions = step.actions;
    Py_ssize_t count = step.count;
    done = check_step(self, rows, actions, count);
    for (Py_ssize_t at = 0; done == 1 && at < count; at++) {
        if (at + NEAR < count) {
            const Row *near = &self->rows[rows[at + NEAR]];
            if (actions[at + NEAR] < near->document->num_sentences)
                draft_prefetch(near->document, near->state,
                               &near->document->sentences[actions[at + NEAR]]);
        }
        /* A row that is named twice may have no room or no episode left. */
        Row *row = &self->rows[rows[at]];
        if (row->has_ended || steps_make_room(&row->taken, self->reward->num_parts) < 0) {
            if (!PyErr_Occurred())
                PyErr_Format(PyExc_RuntimeError, "row %zd is named twice, and its episode has ended",
                             (Py_ssize_t)rows[at]);
            done = -1;
            break;
        }
        step_row(self, (Py_ssize_t)rows[at], actions[at], step.among ? rows[at] : at,
                 &step.outcome);
    }
close:
    step_close(&step);
    return done < 0 ? NULL : PyBool_FromLong(done);
}

PyDoc_STRVAR(rows_step_row_doc,
             "step_row(row, action, names)\n--\n\n"
             "Takes an action in one row; returns (reward, parts, terminated, truncated, is_illegal),\n"
             "parts being a dict by `names`, a tuple, or None, with nothing done, for an action\n"
             "outside its space.");

static PyObject *rows_step_row(Rows *self, PyObject *const *args, Py_ssize_t num_args)
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
    step_row(self, (Py_ssize_t)number, action, 0, &outcome);
    return step_told(args[2], &outcome);
}

PyDoc_STRVAR(rows_draft_doc, "draft(row)\n--\n\nReturns the sentences picked, in order.");

static PyObject *rows_draft(Rows *self, PyObject *argument)
{
    Row *row = row_argument(self, argument);
    PyObject *result = row ? PyTuple_New(row->num_drafted) : NULL;
    for (int32_t place = 0; result && place < row->num_drafted; place++) {
        PyObject *sentence = PyLong_FromLong(row->draft[place]);
        if (!sentence)
            Py_CLEAR(result);
        else
            PyTuple_SET_ITEM(result, place, sentence);
    }
    return result;
}

PyDoc_STRVAR(rows_scores_doc, "scores(row)\n--\n\nReturns the weighted score of every part.");

static PyObject *rows_scores(Rows *self, PyObject *argument)
{
    Row *row = row_argument(self, argument);
    return row ? float_tuple(row->scores, self->reward->num_parts) : NULL;
}

PyDoc_STRVAR(rows_clock_doc, "clock(row)\n--\n\nReturns the steps taken, and whether it ended.");

static PyObject *rows_clock(Rows *self, PyObject *argument)
{
    Row *row = row_argument(self, argument);
    return row ? Py_BuildValue("LN", (long long)row->steps, PyBool_FromLong(row->has_ended)) : NULL;
}

PyDoc_STRVAR(rows_taken_doc,
             "taken(row)\n--\n\nReturns (action, parts, is_illegal) for every step taken.");

static PyObject *rows_taken(Rows *self, PyObject *argument)
{
    Row *row = row_argument(self, argument);
    return row ? steps_told(&row->taken, self->reward->num_parts) : NULL;
}

PyDoc_STRVAR(rows_resume_doc,
             "resume(row, draft, steps, has_ended, taken)\n--\n\n"
             "Makes a row's episode what `draft`, `clock` and `taken` told of it.");

static PyObject *rows_resume(Rows *self, PyObject *args)
{
    Py_ssize_t number;
    PyObject *draft, *taken;
    long long steps;
    int has_ended;
    double gains[MAX_PARTS];
    if (!PyArg_ParseTuple(args, "nO!LpO!:resume", &number, &PyTuple_Type, &draft, &steps,
                          &has_ended, &PyList_Type, &taken))
        return NULL;
    Row *row = row_of(self, number);
    if (!row)
        return NULL;
    restart_row(self, number);
    const int8_t *selected = (const int8_t *)self->selected.view.buf + number * self->sentences;
    for (Py_ssize_t place = 0; place < PyTuple_GET_SIZE(draft); place++) {
        Py_ssize_t chosen = PyNumber_AsSsize_t(PyTuple_GET_ITEM(draft, place), PyExc_IndexError);
        if (chosen == -1 && PyErr_Occurred())
            return NULL;
        if (chosen < 0 || chosen >= row->document->num_sentences || selected[chosen] ||
            row->num_drafted >= row->document->num_sentences) {
            PyErr_Format(PyExc_ValueError, "a draft cannot hold sentence %zd here", chosen);
            return NULL;
        }
        Sentence *sentence = &row->document->sentences[chosen];
        if (!sentence->is_ready && sentence_prepare(row->document, sentence) < 0)
            return NULL;
        pick(self, number, chosen, gains);
    }
    row->steps = steps;
    row->has_ended = has_ended;
    if (steps_resume(&row->taken, self->reward->num_parts, taken) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef rows_methods[] = {
    {"load", (PyCFunction)rows_load, METH_VARARGS, rows_load_doc},
    {"load_row", (PyCFunction)(void (*)(void))rows_load_row, METH_FASTCALL, rows_load_row_doc},
    {"restart", (PyCFunction)rows_restart, METH_O, rows_restart_doc},
    {"step", (PyCFunction)(void (*)(void))rows_step, METH_FASTCALL, rows_step_doc},
    {"step_row", (PyCFunction)(void (*)(void))rows_step_row, METH_FASTCALL, rows_step_row_doc},
    {"draft", (PyCFunction)rows_draft, METH_O, rows_draft_doc},
    {"scores", (PyCFunction)rows_scores, METH_O, rows_scores_doc},
    {"clock", (PyCFunction)rows_clock, METH_O, rows_clock_doc},
    {"taken", (PyCFunction)rows_taken, METH_O, rows_taken_doc},
    {"resume", (PyCFunction)rows_resume, METH_VARARGS, rows_resume_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(rows_doc,
             "Rows(reward, budget, counts_words, penalty, max_steps, tokens, selected, left, mask)\n"
             "--\n\nN episodes; the arrays are what is observed, and written to.");

PyTypeObject RowsType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "lightbulb_envs.kernel._native.Rows",
    .tp_basicsize = sizeof(Rows),
    .tp_dealloc = (destructor)rows_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = rows_doc,
    .tp_methods = rows_methods,
    .tp_init = (initproc)rows_init,
    .tp_new = PyType_GenericNew,
};
