/* What episodes of picking and of writing share: the arrays of a step, and the steps taken. */
#ifndef LIGHTBULB_STEPS_H
#define LIGHTBULB_STEPS_H

#include "kernel.h"

typedef struct {
    int64_t action;
    int64_t is_illegal;
    double paid[]; /* (parts + 1,) */
} Taken;

/* The steps of an episode so far. */
typedef struct {
    char *steps;
    size_t count, room;
} Steps;

static inline Taken *step_at(const Steps *steps, int num_parts, size_t place)
{
    return (Taken *)(steps->steps + place * (sizeof(Taken) + (num_parts + 1) * sizeof(double)));
}

/* Makes room for one more step; returns -1 with MemoryError set. */
int steps_make_room(Steps *steps, int num_parts);
/* Returns (action, parts, is_illegal) for every step taken. */
PyObject *steps_told(const Steps *steps, int num_parts);
/* Adds what `steps_told` told; returns -1 with an error set. */
int steps_resume(Steps *steps, int num_parts, PyObject *told);

/* Where a step writes; the parts that a row is paid lie `stride` apart. */
typedef struct {
    double *reward, *parts;
    uint8_t *terminated, *truncated, *is_illegal;
    Py_ssize_t stride;
} Outcome;

/* The arguments of a step of many rows. */
typedef struct {
    Array arrays[4];
    const int64_t *rows, *actions;
    Py_ssize_t count;
    int among;
    Outcome outcome;
} StepArguments;

/* Both return -1 with an error set; close what was opened, even in part. */
int step_open(StepArguments *step, PyObject *const *args, Py_ssize_t num_args,
              Py_ssize_t num_rows, int num_parts);
void step_close(StepArguments *step);
/* Reads a row, an action and a tuple of names, one for every part and the penalty; `num_parts` is -1
   where there are no rows. Returns -1 with an error set. */
int step_row_arguments(PyObject *const *args, Py_ssize_t num_args, int num_parts, int64_t *row,
                       int64_t *action);
/* Returns what a step of one row tells, parts by `names`. */
PyObject *step_told(PyObject *names, const Outcome *outcome);
PyObject *float_tuple(const double *values, int count);

#endif
