/* Lines of numbers without the zeros at their ends: most of a line, and many lines, are padding. */
#include "kernel.h"

#include <string.h>

int lines_read(Lines *self, Arena *arena, const int32_t *all, Py_ssize_t lines, Py_ssize_t width)
{
    size_t total = 0;
    self->shape[0] = lines;
    self->shape[1] = width;
    self->ends = arena_take(arena, lines, sizeof(int32_t));
    if (!self->ends)
        return -1;
    for (Py_ssize_t line = 0; line < lines; line++) {
        Py_ssize_t end = width;
        while (end && !all[line * width + end - 1])
            end--;
        self->ends[line] = (int32_t)end;
        total += end;
        if (end)
            self->count = (int32_t)line + 1;
    }
    self->values = arena_take(arena, total, sizeof(int32_t));
    if (!self->values)
        return -1;
    int32_t *out = self->values;
    for (Py_ssize_t line = 0; line < self->count; line++) {
        memcpy(out, all + line * width, self->ends[line] * sizeof(int32_t));
        out += self->ends[line];
    }
    return 0;
}

void lines_write(const Lines *self, const Lines *before, int32_t *out)
{
    Py_ssize_t lines = self->shape[0], width = self->shape[1];
    const int32_t *values = self->values;
    for (Py_ssize_t line = 0; line < lines; line++, out += width) {
        int32_t end = line < self->count ? self->ends[line] : 0;
        Py_ssize_t told = width;
        if (before)
            told = line < before->count ? before->ends[line] : 0;
        memcpy(out, values, end * sizeof(int32_t));
        if (told > end)
            memset(out + end, 0, (told - end) * sizeof(int32_t));
        values += end;
    }
}
