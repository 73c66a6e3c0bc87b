/* What episodes of picking and of writing share: the arrays of a step, and the steps taken. */
#include "steps.h"

/* ---- The steps taken --------------------------------------------------------------------- */

int steps_make_room(Steps *steps, int num_parts)
{
    if (steps->count < steps->room)
        return 0;
    size_t room = steps->room ? 2 * steps->room : 8;
    char *memory =
        PyMem_Realloc(steps->steps, room * (sizeof(Taken) + (num_parts + 1) * sizeof(double)));
    if (!memory) {
        PyErr_NoMemory();
        return -1;
    }
    steps->steps = memory;
    steps->room = room;
    return 0;
}

PyObject *float_tuple(const double *values, int count)
{
    PyObject *result = PyTuple_New(count);
    for (int place = 0; result && place < count; place++) {
        PyObject *value = PyFloat_FromDouble(values[place]);
        if (!value)
            Py_CLEAR(result);
        else
            PyTuple_SET_ITEM(result, place, value);
    }
    return result;
}

PyObject *steps_told(const Steps *steps, int num_parts)
{
    PyObject *result = PyList_New((Py_ssize_t)steps->count);
    for (size_t place = 0; result && place < steps->count; place++) {
        const Taken *taken = step_at(steps, num_parts, place);
        PyObject *paid = float_tuple(taken->paid, num_parts + 1);
        PyObject *entry = paid ? Py_BuildValue("LNN", (long long)taken->action, paid,
                                               PyBool_FromLong((long)taken->is_illegal))
                               : NULL;
        if (!entry)
            Py_CLEAR(result);
        else
            PyList_SET_ITEM(result, (Py_ssize_t)place, entry);
    }
    return result;
}

int steps_resume(Steps *steps, int num_parts, PyObject *told)
{
    int parts = num_parts + 1;
    for (Py_ssize_t place = 0; place < PyList_GET_SIZE(told); place++) {
        PyObject *paid;
        long long action;
        int is_illegal;
        if (!PyTuple_Check(PyList_GET_ITEM(told, place)) ||
            !PyArg_ParseTuple(PyList_GET_ITEM(told, place), "LO!p", &action, &PyTuple_Type, &paid,
                              &is_illegal)) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_TypeError, "taken must be a list of tuples");
            return -1;
        }
        if (PyTuple_GET_SIZE(paid) != parts) {
            PyErr_Format(PyExc_ValueError, "a step is paid in %d parts, got %zd", parts,
                         PyTuple_GET_SIZE(paid));
            return -1;
        }
        if (steps_make_room(steps, num_parts) < 0)
            return -1;
        Taken *entry = step_at(steps, num_parts, steps->count);
        entry->action = action;
        entry->is_illegal = is_illegal;
        for (int part = 0; part < parts; part++) {
            double value = PyFloat_AsDouble(PyTuple_GET_ITEM(paid, part));
            if (value == -1.0 && PyErr_Occurred())
                return -1;
            entry->paid[part] = value;
        }
        steps->count++;
    }
    return 0;
}

/* ---- One step ---------------------------------------------------------------------------- */

int step_open(StepArguments *step, PyObject *const *args, Py_ssize_t num_args,
              Py_ssize_t num_rows, int num_parts)
{
    static const char *names[] = {"rows", "actions", "paid", "flags"};
    static const char types[] = "qqd?";
    Array *arrays = step->arrays;
    memset(step, 0, sizeof(*step));
    if (num_args != 5) {
        PyErr_SetString(PyExc_TypeError, "step needs 4 arrays, and whether they are of all rows");
        return -1;
    }
    if ((step->among = PyObject_IsTrue(args[4])) < 0)
        return -1;
    for (int number = 0; number < 4; number++)
        if (array_open(&arrays[number], args[number], names[number], types[number],
                       number < 2 ? 1 : 2, number >= 2) < 0)
            return -1;
    step->count = arrays[0].view.shape[0];
    Py_ssize_t told = step->among ? num_rows : step->count;
    if (arrays[1].view.shape[0] != step->count ||
        !array_has_shape(&arrays[2], num_parts + 2, told, 0) ||
        !array_has_shape(&arrays[3], 3, told, 0)) {
        PyErr_Format(PyExc_ValueError,
                     "step needs one action for each of %zd rows, paid (%d, %zd) and flags (3, %zd)",
                     step->count, num_parts + 2, told, told);
        return -1;
    }
    double *paid = arrays[2].view.buf;
    uint8_t *flags = arrays[3].view.buf;
    step->rows = arrays[0].view.buf;
    step->actions = arrays[1].view.buf;
    step->outcome =
        (Outcome){paid, paid + told, flags, flags + told, flags + 2 * told, told};
    return 0;
}

void step_close(StepArguments *step)
{
    for (int number = 0; number < 4; number++)
        array_close(&step->arrays[number]);
}

static PyObject *float_dict(PyObject *names, const double *values)
{
    PyObject *result = PyDict_New();
    for (Py_ssize_t place = 0; result && place < PyTuple_GET_SIZE(names); place++) {
        PyObject *value = PyFloat_FromDouble(values[place]);
        if (!value || PyDict_SetItem(result, PyTuple_GET_ITEM(names, place), value) < 0)
            Py_CLEAR(result);
        Py_XDECREF(value);
    }
    return result;
}

int step_row_arguments(PyObject *const *args, Py_ssize_t num_args, int num_parts, int64_t *row,
                       int64_t *action)
{
    if (num_args != 3 || !PyTuple_Check(args[2])) {
        PyErr_SetString(PyExc_TypeError, "step_row needs a row, an action and a tuple of names");
        return -1;
    }
    if (num_parts < 0 || PyTuple_GET_SIZE(args[2]) != num_parts + 1) {
        PyErr_SetString(PyExc_ValueError, "names must have an entry for every part");
        return -1;
    }
    *row = PyNumber_AsSsize_t(args[0], PyExc_IndexError);
    if (*row == -1 && PyErr_Occurred())
        return -1;
    /* Past what an integer holds it is clipped, and so outside the space all the same. */
    *action = PyNumber_AsSsize_t(args[1], NULL);
    return *action == -1 && PyErr_Occurred() ? -1 : 0;
}

PyObject *step_told(PyObject *names, const Outcome *outcome)
{
    PyObject *told = PyTuple_New(5), *reward = PyFloat_FromDouble(*outcome->reward);
    PyObject *parts = float_dict(names, outcome->parts);
    if (!told || !reward || !parts) {
        Py_XDECREF(told);
        Py_XDECREF(reward);
        Py_XDECREF(parts);
        return NULL;
    }
    PyTuple_SET_ITEM(told, 0, reward);
    PyTuple_SET_ITEM(told, 1, parts);
    PyTuple_SET_ITEM(told, 2, PyBool_FromLong(*outcome->terminated));
    PyTuple_SET_ITEM(told, 3, PyBool_FromLong(*outcome->truncated));
    PyTuple_SET_ITEM(told, 4, PyBool_FromLong(*outcome->is_illegal));
    return told;
}
