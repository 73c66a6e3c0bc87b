/* Random words: Philox4x32-10 (Salmon et al. 2011), as `draw_words` in randomness.py has it, and the
 * instances of `InstanceStream` in instances.py. */
#include "kernel.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { LANES = 8 };

/* Turns counters into words. */
#ifdef __SSE2__
static void philox(uint32_t counter[4][LANES], uint32_t k0, uint32_t k1)
{
    /* Two lanes a register, of 64 bits each; what lies above the lower 32 is never looked at. */
    enum { PAIRS = LANES / 2 };
    __m128i c0[PAIRS], c1[PAIRS], c2[PAIRS], c3[PAIRS];
    const __m128i m0 = _mm_set1_epi64x(0xD2511F53), m1 = _mm_set1_epi64x(0xCD9E8D57);
    for (int pair = 0; pair < PAIRS; pair++) {
        c0[pair] = _mm_set_epi64x(counter[0][2 * pair + 1], counter[0][2 * pair]);
        c1[pair] = _mm_set_epi64x(counter[1][2 * pair + 1], counter[1][2 * pair]);
        c2[pair] = _mm_set_epi64x(counter[2][2 * pair + 1], counter[2][2 * pair]);
        c3[pair] = _mm_set_epi64x(counter[3][2 * pair + 1], counter[3][2 * pair]);
    }
    for (int round = 0; round < 10; round++) {
        const __m128i key0 = _mm_set1_epi64x(k0), key1 = _mm_set1_epi64x(k1);
        for (int pair = 0; pair < PAIRS; pair++) {
            __m128i product0 = _mm_mul_epu32(c0[pair], m0);
            __m128i product1 = _mm_mul_epu32(c2[pair], m1);
            c0[pair] = _mm_xor_si128(_mm_srli_epi64(product1, 32), _mm_xor_si128(c1[pair], key0));
            c1[pair] = product1;
            c2[pair] = _mm_xor_si128(_mm_srli_epi64(product0, 32), _mm_xor_si128(c3[pair], key1));
            c3[pair] = product0;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    for (int pair = 0; pair < PAIRS; pair++) {
        const __m128i words[4] = {c0[pair], c1[pair], c2[pair], c3[pair]};
        for (int word = 0; word < 4; word++) {
            counter[word][2 * pair] = (uint32_t)_mm_cvtsi128_si32(words[word]);
            counter[word][2 * pair + 1] =
                (uint32_t)_mm_cvtsi128_si32(_mm_srli_si128(words[word], 8));
        }
    }
}
#else
static void philox(uint32_t counter[4][LANES], uint32_t k0, uint32_t k1)
{
    for (int lane = 0; lane < LANES; lane++) {
        uint32_t c0 = counter[0][lane], c1 = counter[1][lane];
        uint32_t c2 = counter[2][lane], c3 = counter[3][lane];
        for (uint32_t round = 0; round < 10; round++) {
            uint64_t product0 = (uint64_t)c0 * 0xD2511F53u, product1 = (uint64_t)c2 * 0xCD9E8D57u;
            c0 = (uint32_t)(product1 >> 32) ^ c1 ^ (k0 + round * 0x9E3779B9u);
            c1 = (uint32_t)product1;
            c2 = (uint32_t)(product0 >> 32) ^ c3 ^ (k1 + round * 0xBB67AE85u);
            c3 = (uint32_t)product0;
        }
        counter[0][lane] = c0;
        counter[1][lane] = c1;
        counter[2][lane] = c2;
        counter[3][lane] = c3;
    }
}
#endif

const char draw_words_doc[] =
    "draw_words(words, index, key0, key1, stream, start)\n--\n\n"
    "Fills words (N, W), uint32, with draws of every index (N,) of a stream, from number `start` on,\n"
    "a multiple of 4.";

PyObject *draw_words(PyObject *module, PyObject *args)
{
    PyObject *given_words, *given_index, *result = NULL;
    unsigned long k0, k1, stream, start;
    Array words = {0}, index = {0};
    (void)module;
    if (!PyArg_ParseTuple(args, "OOkkkk:draw_words", &given_words, &given_index, &k0, &k1, &stream,
                          &start))
        return NULL;
    if (array_open(&words, given_words, "words", 'I', 2, 1) < 0 ||
        array_open(&index, given_index, "index", 'q', 1, 0) < 0)
        goto done;
    Py_ssize_t count = words.view.shape[0], width = words.view.shape[1];
    if (index.view.shape[0] != count || start % 4) {
        PyErr_SetString(PyExc_ValueError,
                        "words must have a row for every index, and start be a multiple of 4");
        goto done;
    }
    for (Py_ssize_t row = 0; row < count; row++) {
        uint64_t own = (uint64_t)((const int64_t *)index.view.buf)[row];
        uint32_t *out = (uint32_t *)words.view.buf + row * width;
        for (Py_ssize_t place = 0; place < width; place += 4 * LANES) {
            uint32_t counter[4][LANES];
            for (int lane = 0; lane < LANES; lane++) {
                counter[0][lane] = (uint32_t)own;
                counter[1][lane] = (uint32_t)(own >> 32);
                counter[2][lane] = (uint32_t)(start / 4 + (size_t)place / 4 + (size_t)lane);
                counter[3][lane] = (uint32_t)stream;
            }
            philox(counter, (uint32_t)k0, (uint32_t)k1);
            Py_ssize_t left = width - place < 4 * LANES ? width - place : 4 * LANES;
            for (Py_ssize_t word = 0; word < left; word++)
                out[place + word] = counter[word % 4][word / 4];
        }
    }
    result = Py_NewRef(Py_None);
done:
    array_close(&words);
    array_close(&index);
    return result;
}

const char draw_instances_doc[] =
    "draw_instances(instances, count, seed, key0, key1, size)\n--\n\n"
    "Fills instances (N, K), int64, with those that follow `count` (N,) in the streams of `seed`\n"
    "(N, 2), uint64: in [0, size), or in [0, 2**53) for size 0.";

PyObject *draw_instances(PyObject *module, PyObject *args)
{
    PyObject *given_instances, *given_count, *given_seed, *result = NULL;
    unsigned long k0, k1, size;
    Array instances = {0}, count = {0}, seed = {0};
    (void)module;
    if (!PyArg_ParseTuple(args, "OOOkkk:draw_instances", &given_instances, &given_count,
                          &given_seed, &k0, &k1, &size))
        return NULL;
    if (array_open(&instances, given_instances, "instances", 'q', 2, 1) < 0 ||
        array_open(&count, given_count, "count", 'q', 1, 0) < 0 ||
        array_open(&seed, given_seed, "seed", 'Q', 2, 0) < 0)
        goto done;
    Py_ssize_t rows = instances.view.shape[0], width = instances.view.shape[1];
    if (count.view.shape[0] != rows || seed.view.shape[0] != rows || seed.view.shape[1] != 2) {
        PyErr_SetString(PyExc_ValueError, "count must be (N,) and seed (N, 2)");
        goto done;
    }
    for (Py_ssize_t row = 0; row < rows; row++) {
        const uint64_t *own = (const uint64_t *)seed.view.buf + row * 2;
        uint64_t first = (uint64_t)((const int64_t *)count.view.buf)[row];
        int64_t *out = (int64_t *)instances.view.buf + row * width;
        for (Py_ssize_t place = 0; place < width; place += LANES) {
            uint32_t counter[4][LANES];
            for (int lane = 0; lane < LANES; lane++) {
                counter[0][lane] = (uint32_t)(first + (uint64_t)place + (uint64_t)lane);
                counter[1][lane] = 0;
                counter[2][lane] = (uint32_t)own[0];
                counter[3][lane] = (uint32_t)own[1];
            }
            philox(counter, (uint32_t)k0, (uint32_t)k1);
            for (int lane = 0; lane < LANES && place + lane < width; lane++) {
                uint64_t low = counter[0][lane], high = counter[1][lane] & 0x1FFFFF;
                out[place + lane] = (int64_t)(size ? low * size >> 32 : high << 32 | low);
            }
        }
    }
    result = Py_NewRef(Py_None);
done:
    array_close(&instances);
    array_close(&count);
    array_close(&seed);
    return result;
}

const char take_instances_doc[] =
    "take_instances(taken, rows, count, first, instances)\n--\n\n"
    "Fills taken (n,), int64, with the next instance of every row of `rows`, and counts it. `count`\n"
    "(N,) says how many a row took, and `first` (N,) how many it had taken before instances (N, K).\n"
    "Returns False, with nothing done, if a row has taken all.";

PyObject *take_instances(PyObject *module, PyObject *args)
{
    static const char *const names[] = {"taken", "rows", "count", "first", "instances"};
    PyObject *given[5], *result = NULL;
    Array arrays[5];
    (void)module;
    memset(arrays, 0, sizeof(arrays));
    if (!PyArg_ParseTuple(args, "OOOOO:take_instances", &given[0], &given[1], &given[2], &given[3],
                          &given[4]))
        return NULL;
    for (int number = 0; number < 5; number++)
        if (array_open(&arrays[number], given[number], names[number], 'q', 1 + (number == 4),
                       number == 0 || number == 2) < 0)
            goto done;
    Py_ssize_t num_rows = arrays[4].view.shape[0], ahead = arrays[4].view.shape[1];
    Py_ssize_t wanted = arrays[1].view.shape[0];
    if (arrays[0].view.shape[0] != wanted || arrays[2].view.shape[0] != num_rows ||
        arrays[3].view.shape[0] != num_rows) {
        PyErr_SetString(PyExc_ValueError, "taken must be (n,), count and first (N,)");
        goto done;
    }
    int64_t *taken = arrays[0].view.buf, *count = arrays[2].view.buf;
    const int64_t *rows = arrays[1].view.buf, *first = arrays[3].view.buf;
    const int64_t *instances = arrays[4].view.buf;
    for (Py_ssize_t at = 0; at < wanted; at++) {
        if (rows[at] < 0 || rows[at] >= num_rows) {
            PyErr_Format(PyExc_IndexError, "a row must be in [0, %zd), got %lld", num_rows,
                         (long long)rows[at]);
            goto done;
        }
        uint64_t place = (uint64_t)count[rows[at]] - (uint64_t)first[rows[at]];
        if (place >= (uint64_t)ahead) {
            result = Py_NewRef(Py_False);
            goto done;
        }
        taken[at] = instances[rows[at] * ahead + (int64_t)place];
    }
    for (Py_ssize_t at = 0; at < wanted; at++)
        count[rows[at]] = (int64_t)((uint64_t)count[rows[at]] + 1);
    result = Py_NewRef(Py_True);
done:
    for (int number = 0; number < 5; number++)
        array_close(&arrays[number]);
    return result;
}
