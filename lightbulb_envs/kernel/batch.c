/* N drafts that grow and are scored in one call, without episodes around them. */
#include "kernel.h"

typedef struct {
    PyObject_HEAD
    Reward *reward;
    Py_ssize_t num_rows;
    Document **documents;
    char **states;
    size_t *rooms;
} Batch;

static PyObject *batch_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    Reward *reward;
    Py_ssize_t num_rows;
    (void)keywords;
    if (!PyArg_ParseTuple(args, "O!n:Batch", &RewardType, &reward, &num_rows))
        return NULL;
    if (num_rows < 1 || num_rows > INT32_MAX) {
        PyErr_SetString(PyExc_ValueError, "a batch has 1 row or more");
        return NULL;
    }
    Batch *self = (Batch *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    self->reward = (Reward *)Py_NewRef((PyObject *)reward);
    self->documents = PyMem_Calloc(num_rows, sizeof(Document *));
    self->states = PyMem_Calloc(num_rows, sizeof(char *));
    self->rooms = PyMem_Calloc(num_rows, sizeof(size_t));
    if (!self->documents || !self->states || !self->rooms) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    self->num_rows = num_rows;
    return (PyObject *)self;
}

static void batch_dealloc(Batch *self)
{
    for (Py_ssize_t row = 0; row < self->num_rows; row++) {
        Py_XDECREF(self->documents[row]);
        PyMem_Free(self->states[row]);
    }
    PyMem_Free(self->documents);
    PyMem_Free(self->states);
    PyMem_Free(self->rooms);
    Py_XDECREF(self->reward);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

PyDoc_STRVAR(batch_load_doc, "load(documents)\n--\n\nStarts an empty draft of a document a row.");

static PyObject *batch_load(Batch *self, PyObject *documents)
{
    if (!PyList_Check(documents) || PyList_GET_SIZE(documents) != self->num_rows) {
        PyErr_Format(PyExc_ValueError, "load needs a list of %zd documents", self->num_rows);
        return NULL;
    }
    for (Py_ssize_t row = 0; row < self->num_rows; row++) {
        PyObject *item = PyList_GET_ITEM(documents, row);
        if (!PyObject_TypeCheck(item, &DocumentType) ||
            ((Document *)item)->reward != self->reward) {
            PyErr_SetString(PyExc_ValueError, "load needs documents compiled for this reward");
            return NULL;
        }
        Document *document = (Document *)item;
        if (self->rooms[row] < document->state_size) {
            char *state = PyMem_Realloc(self->states[row], document->state_size);
            if (!state)
                return PyErr_NoMemory();
            self->states[row] = state;
            self->rooms[row] = document->state_size;
        }
        memcpy(self->states[row], document->start, document->state_size);
        if (self->documents[row] != document) {
            Py_INCREF(document);
            Py_XSETREF(self->documents[row], document);
        }
    }
    Py_RETURN_NONE;
}

/* Makes all sentences ready before any draft grows; returns -1 with an error set. */
static int batch_prepare(Batch *self, const int64_t *sentences)
{
    for (Py_ssize_t row = 0; row < self->num_rows; row++) {
        Document *document = self->documents[row];
        if (!document) {
            PyErr_SetString(PyExc_RuntimeError, "the batch has no documents: call load first");
            return -1;
        }
        if (sentences[row] < 0 || sentences[row] >= document->num_sentences) {
            PyErr_Format(PyExc_IndexError, "a sentence must be in [0, %d), got %lld",
                         document->num_sentences, (long long)sentences[row]);
            return -1;
        }
        Sentence *sentence = &document->sentences[sentences[row]];
        if (!sentence->is_ready && sentence_prepare(document, sentence) < 0)
            return -1;
        for (int reading = 0; reading < READINGS; reading++)
            if (self->reward->uses[reading])
                PREFETCH(sentence->against[reading]);
    }
    return 0;
}

PyDoc_STRVAR(batch_extend_doc, "extend(sentences, scores)\n--\n\n"
                               "Adds a sentence to every draft, by its number (N,), and writes the\n"
                               "weighted scores of the drafts (N, P).");

static PyObject *batch_extend(Batch *self, PyObject *const *args, Py_ssize_t num_args)
{
    Array sentences = {0}, scores = {0};
    PyObject *result = NULL;
    int parts = self->reward->num_parts;
    if (num_args != 2) {
        PyErr_SetString(PyExc_TypeError, "extend needs two arrays");
        return NULL;
    }
    if (array_open(&sentences, args[0], "sentences", 'q', 1, 0) < 0 ||
        array_open(&scores, args[1], "scores", 'd', 2, 1) < 0)
        goto done;
    if (sentences.view.shape[0] != self->num_rows || scores.view.shape[0] != self->num_rows ||
        scores.view.shape[1] != parts) {
        PyErr_Format(PyExc_ValueError, "sentences must be (%zd,), and scores (%zd, %d)",
                     self->num_rows, self->num_rows, parts);
        goto done;
    }
    const int64_t *chosen = sentences.view.buf;
    if (batch_prepare(self, chosen) < 0)
        goto done;
    for (Py_ssize_t row = 0; row < self->num_rows; row++) {
        Document *document = self->documents[row];
        draft_extend(document, self->states[row], &document->sentences[chosen[row]]);
        draft_scores(document, self->states[row], (double *)scores.view.buf + row * parts);
    }
    result = Py_NewRef(Py_None);
done:
    array_close(&sentences);
    array_close(&scores);
    return result;
}

PyDoc_STRVAR(batch_extend_words_doc,
             "extend_words(words, scores)\n--\n\n"
             "Adds a word to every draft, as the numbers of the word and of its stem (N, 2), and\n"
             "writes the weighted scores of the drafts (N, P). No part may be ROUGE-Lsum, which\n"
             "compares lines.");

static PyObject *batch_extend_words(Batch *self, PyObject *const *args, Py_ssize_t num_args)
{
    Array words = {0}, scores = {0};
    PyObject *result = NULL;
    int parts = self->reward->num_parts;
    if (num_args != 2 || self->reward->uses_lsum[0] || self->reward->uses_lsum[1]) {
        PyErr_SetString(PyExc_TypeError,
                        "extend_words needs two arrays, and a reward without ROUGE-Lsum");
        return NULL;
    }
    if (array_open(&words, args[0], "words", 'i', 2, 0) < 0 ||
        array_open(&scores, args[1], "scores", 'd', 2, 1) < 0)
        goto done;
    if (words.view.shape[0] != self->num_rows || words.view.shape[1] != READINGS ||
        scores.view.shape[0] != self->num_rows || scores.view.shape[1] != parts) {
        PyErr_Format(PyExc_ValueError, "words must be (%zd, 2), and scores (%zd, %d)",
                     self->num_rows, self->num_rows, parts);
        goto done;
    }
    for (Py_ssize_t row = 0; row < self->num_rows; row++)
        if (!self->documents[row]) {
            PyErr_SetString(PyExc_RuntimeError, "the batch has no documents: call load first");
            goto done;
        }
    for (Py_ssize_t row = 0; row < self->num_rows; row++) {
        Document *document = self->documents[row];
        draft_extend_word(document, self->states[row],
                          (const int32_t *)words.view.buf + row * READINGS);
        draft_scores(document, self->states[row], (double *)scores.view.buf + row * parts);
    }
    result = Py_NewRef(Py_None);
done:
    array_close(&words);
    array_close(&scores);
    return result;
}

static PyMethodDef batch_methods[] = {
    {"load", (PyCFunction)batch_load, METH_O, batch_load_doc},
    {"extend", (PyCFunction)(void (*)(void))batch_extend, METH_FASTCALL, batch_extend_doc},
    {"extend_words", (PyCFunction)(void (*)(void))batch_extend_words, METH_FASTCALL,
     batch_extend_words_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(batch_doc, "Batch(reward, num_rows)\n--\n\nDrafts that grow and are scored together.");

PyTypeObject BatchType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "lightbulb_envs.kernel._native.Batch",
    .tp_basicsize = sizeof(Batch),
    .tp_dealloc = (destructor)batch_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = batch_doc,
    .tp_methods = batch_methods,
    .tp_new = batch_new,
};
