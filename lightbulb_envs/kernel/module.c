/* The Python module, and the description of a reward. */
#include "kernel.h"

#if !defined(__GNUC__)
int lightbulb_lowest_bit(uint64_t bits)
{
    int place = 0;
    while (!(bits >> place & 1))
        place++;
    return place;
}
#endif

/* ---- Arrays ------------------------------------------------------------------------------ */

static int has_type(const Py_buffer *view, char type)
{
    char given = view->format ? view->format[0] : 'B';
    if (view->format && view->format[1])
        return 0;
    switch (type) {
    case 'q':
        return (given == 'q' || given == 'l') && view->itemsize == 8;
    case 'i':
        return (given == 'i' || given == 'l') && view->itemsize == 4;
    case 'I':
        return (given == 'I' || given == 'L') && view->itemsize == 4;
    case 'Q':
        return (given == 'Q' || given == 'L') && view->itemsize == 8;
    default:
        return given == type;
    }
}

int array_open(Array *array, PyObject *object, const char *name, char type, int dimensions,
               int writable)
{
    static const char *const types[] = {"qint64",   "iint32",   "bint8",   "?bool",
                                        "dfloat64", "ffloat32", "Iuint32", "Quint64"};
    int flags = PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (writable ? PyBUF_WRITABLE : 0);
    if (PyObject_GetBuffer(object, &array->view, flags) < 0)
        return -1;
    array->is_held = 1;
    if (array->view.ndim != dimensions || !has_type(&array->view, type)) {
        const char *wanted = "";
        for (size_t number = 0; number < sizeof(types) / sizeof(*types); number++)
            if (types[number][0] == type)
                wanted = types[number] + 1;
        PyErr_Format(PyExc_TypeError, "%s must be an array of %s with %d dimensions, got %s with %d",
                     name, wanted, dimensions, array->view.format, array->view.ndim);
        return -1;
    }
    return 0;
}

void array_close(Array *array)
{
    if (array->is_held)
        PyBuffer_Release(&array->view);
    array->is_held = 0;
}

int arrays_open(PyObject *given, const WantedArray *wanted, Array *arrays, int count, int written)
{
    if (!PyTuple_Check(given) || PyTuple_GET_SIZE(given) != count) {
        PyErr_Format(PyExc_TypeError, "a block needs a tuple of %d arrays", count);
        return -1;
    }
    for (int number = 0; number < count; number++)
        if (array_open(&arrays[number], PyTuple_GET_ITEM(given, number), wanted[number].name,
                       wanted[number].type, wanted[number].dimensions,
                       number >= count - written) < 0)
            return -1;
    return 0;
}

void arrays_close(Array *arrays, int count)
{
    for (int number = 0; number < count; number++)
        array_close(&arrays[number]);
}

int array_has_shape(const Array *array, Py_ssize_t first, Py_ssize_t second, Py_ssize_t third)
{
    const Py_ssize_t wanted[] = {first, second, third};
    for (int axis = 0; axis < array->view.ndim; axis++)
        if (array->view.shape[axis] != wanted[axis])
            return 0;
    return 1;
}

/* ---- Rewards ----------------------------------------------------------------------------- */

static int reward_add(Reward *self, PyObject *item)
{
    int kind, n, reading;
    double weight;
    if (!PyTuple_Check(item)) {
        PyErr_SetString(PyExc_TypeError, "a part must be a tuple (kind, n, reading, weight)");
        return -1;
    }
    if (!PyArg_ParseTuple(item, "iiid", &kind, &n, &reading, &weight))
        return -1;
    if (kind < FACT_PRECISION || kind > ROUGE_LSUM || reading < 0 || reading >= READINGS ||
        (kind == ROUGE_N && (n < 1 || n > MAX_N)) || self->num_parts == MAX_PARTS) {
        PyErr_Format(PyExc_ValueError, "no part is (%d, %d, %d), or there are more than %d", kind, n,
                     reading, MAX_PARTS);
        return -1;
    }
    Part *part = &self->parts[self->num_parts++];
    *part = (Part){(Kind)kind, n, reading, weight, 0};
    switch (kind) {
    case LENGTH:
        break;
    case ROUGE_N:
        self->uses[reading] = 1;
        self->longest_n = n > self->longest_n ? n : self->longest_n;
        part->slot = self->num_ngrams;
        self->ngrams[self->num_ngrams++] = (Ngram){n, reading};
        break;
    case ROUGE_L:
        self->uses[reading] = self->uses_l[reading] = 1;
        break;
    case ROUGE_LSUM:
        self->uses[reading] = self->uses_lsum[reading] = 1;
        break;
    default:
        self->uses_facts = 1;
    }
    return 0;
}

static PyObject *reward_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    PyObject *parts;
    (void)keywords;
    if (!PyArg_ParseTuple(args, "O!:Reward", &PyList_Type, &parts))
        return NULL;
    Reward *self = (Reward *)type->tp_alloc(type, 0);
    for (Py_ssize_t number = 0; self && number < PyList_GET_SIZE(parts); number++)
        if (reward_add(self, PyList_GET_ITEM(parts, number)) < 0)
            Py_CLEAR(self);
    if (self)
        reward_lay_out(self);
    return (PyObject *)self;
}

static void reward_dealloc(PyObject *self)
{
    Py_TYPE(self)->tp_free(self);
}

PyDoc_STRVAR(reward_doc,
             "Reward(parts)\n--\n\nParts as a list of (kind, n, reading, weight): kinds are 0 fact\n"
             "precision, 1 fact recall, 2 fact F1, 3 length, 4 ROUGE-n, 5 ROUGE-L, 6 ROUGE-Lsum;\n"
             "readings 0 words, 1 stems.");

PyTypeObject RewardType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "lightbulb_envs.kernel._native.Reward",
    .tp_basicsize = sizeof(Reward),
    .tp_dealloc = reward_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = reward_doc,
    .tp_new = reward_new,
};

/* ---- The module -------------------------------------------------------------------------- */

static PyMethodDef methods[] = {
    {"compile_documents", compile_documents, METH_VARARGS, compile_documents_doc},
    {"compile_words", compile_words, METH_VARARGS, compile_words_doc},
    {"draw_words", draw_words, METH_VARARGS, draw_words_doc},
    {"draw_instances", draw_instances, METH_VARARGS, draw_instances_doc},
    {"choose_block", choose_block, METH_VARARGS, choose_block_doc},
    {"order_rows", order_rows, METH_VARARGS, order_rows_doc},
    {"tell_block", tell_block, METH_VARARGS, tell_block_doc},
    {"take_instances", take_instances, METH_VARARGS, take_instances_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_native",
    .m_doc = "The fast path of rewards and episodes; see lightbulb_envs.kernel.",
    .m_size = -1,
    .m_methods = methods,
};

PyMODINIT_FUNC PyInit__native(void)
{
    PyTypeObject *types[] = {&RewardType, &DocumentType, &DraftType, &BatchType, &RowsType,
                             &ScorerType, &MatcherType, &WordDocumentType, &WordDraftType,
                             &WordRowsType};
    PyObject *module = PyModule_Create(&definition);
    for (size_t number = 0; module && number < sizeof(types) / sizeof(*types); number++)
        if (PyModule_AddType(module, types[number]) < 0)
            Py_CLEAR(module);
    if (module && PyModule_AddIntConstant(module, "VERSION", KERNEL_VERSION) < 0)
        Py_CLEAR(module);
    return module;
}
