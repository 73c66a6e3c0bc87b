/* Strings in, scores out: ROUGE of whole texts, with the numbers of `rouge-score`.
 *
 * The specification is `score` in rewards/rouge.py and `split_words` in words.py. Words are numbered
 * once and remembered; stems come from Python, word by word, when a word is first met. */
#include "kernel.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define NONE (-1) /* no such word */
#define END_OF_LINE 1 /* in cleaned text, where 0 is any other separator */

typedef struct {
    uint64_t head; /* the first eight letters, 0 after the end */
    const char *text; /* owned */
    uint32_t length;
    uint32_t hash;
    int32_t stem; /* the number of the word's stem, or NONE */
} Word;

/* Short words, which most are, are told apart without a look at `Word`: the table is too large for
 * the caches. */
typedef struct {
    uint64_t head;
    uint32_t length;
    int32_t number; /* of a word, or -1 */
} Slot;

/* A word of a text whose number is not known yet. */
typedef struct {
    uint64_t head;
    const char *text;
    uint32_t length, hash;
} Found;

/* The uid of a word in the reference of a pair of texts. It holds for that pair alone. */
typedef struct {
    uint32_t pair;
    int32_t uid;
} Known;

/* A text as word numbers, line after line. */
typedef struct {
    int32_t *words;
    int32_t *starts; /* of lines; one more at the end */
    size_t words_room, starts_room;
    int32_t num_words, num_lines;
} Text;

typedef struct {
    PyObject_HEAD
    PyTypeObject *score_type;
    Arena arena; /* the words' letters */
    Word *words;
    int32_t num_words;
    size_t words_room;
    Slot *slots; /* open addressing */
    uint32_t hash_mask;
    Known *known; /* by the number of a word */
    size_t known_room;
    uint32_t pair;
    Text candidate, reference;
    char *cleaned;
    Found *found; /* the words of the text that is read */
    size_t cleaned_room, found_room;
    int32_t *uids;           /* of the candidate */
    int32_t *counts, *grams; /* see count_lsum and count_grams */
    size_t uids_room, counts_room, grams_room;
    uint64_t *rows;
    size_t rows_room;
} Scorer;

/* Makes room for `count` things of `size` bytes; returns -1 with MemoryError set. */
static int reserve(void *pointer, size_t *room, size_t count, size_t size)
{
    void **memory = pointer;
    if (count <= *room)
        return 0;
    size_t wanted = count + count / 2 + 64;
    void *grown = wanted > (size_t)PY_SSIZE_T_MAX / size ? NULL : PyMem_Realloc(*memory, wanted * size);
    if (!grown) {
        PyErr_NoMemory();
        return -1;
    }
    *memory = grown;
    *room = wanted;
    return 0;
}

/* ---- Words ------------------------------------------------------------------------------- */

#define HEAD 8 /* letters that are compared at once */
#define STRIDE 64 /* characters that are looked at once; cleaned text ends in as many zeros */

static uint64_t head_of(const char *text, size_t length)
{
    uint64_t head;
    memcpy(&head, text, HEAD);
    if (length >= HEAD)
        return head;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return head & ~(uint64_t)0 << 8 * (HEAD - length);
#else
    return head & (((uint64_t)1 << 8 * length) - 1);
#endif
}

static uint32_t hash_of(uint64_t head, const char *text, size_t length)
{
    uint64_t hash = (head ^ length) * 0x9FB21C651E98DF25u;
    for (size_t place = HEAD; place < length; place++)
        hash = (hash ^ (hash >> 32) ^ (unsigned char)text[place]) * 0x9FB21C651E98DF25u;
    return (uint32_t)(hash >> 32);
}

static void forget(Scorer *self)
{
    arena_free(&self->arena);
    self->num_words = 0;
    if (self->slots)
        memset(self->slots, 0xff, ((size_t)self->hash_mask + 1) * sizeof(Slot));
}

static int grow_slots(Scorer *self)
{
    size_t size = self->slots ? 2 * ((size_t)self->hash_mask + 1) : 4096;
    Slot *slots = size > UINT32_MAX / 2 ? NULL : PyMem_Malloc(size * sizeof(Slot));
    if (!slots) {
        PyErr_NoMemory();
        return -1;
    }
    memset(slots, 0xff, size * sizeof(Slot));
    self->hash_mask = (uint32_t)(size - 1);
    for (int32_t number = 0; number < self->num_words; number++) {
        uint32_t slot = self->words[number].hash & self->hash_mask;
        while (slots[slot].number >= 0)
            slot = (slot + 1) & self->hash_mask;
        slots[slot] = (Slot){self->words[number].head, self->words[number].length, number};
    }
    PyMem_Free(self->slots);
    self->slots = slots;
    return 0;
}

/* Adds a word to those known, in a free slot; returns its number, or -1 with an error set. */
static int32_t add_word(Scorer *self, Found word, uint32_t slot)
{
    uint32_t length = word.length;
    if (reserve(&self->words, &self->words_room, (size_t)self->num_words + 1, sizeof(Word)) < 0)
        return -1;
    char *copy = arena_take(&self->arena, length, 1);
    if (!copy)
        return -1;
    memcpy(copy, word.text, length);
    /* Words of up to three letters are their own stems. */
    self->words[self->num_words] =
        (Word){word.head, copy, length, word.hash, length > 3 ? NONE : self->num_words};
    self->slots[slot] = (Slot){word.head, length, self->num_words};
    return self->num_words++;
}

/* Returns a word of a text of which eight bytes past the word's start can be read. */
static inline Found found_word(const char *text, size_t length)
{
    uint64_t head = head_of(text, length);
    return (Found){head, text, (uint32_t)length, hash_of(head, text, length)};
}

/* Makes room in the table for so many new words; returns -1 with MemoryError set. */
static int make_room(Scorer *self, size_t more)
{
    while (!self->slots || 3 * ((size_t)self->num_words + more) > self->hash_mask)
        if (grow_slots(self) < 0)
            return -1;
    return 0;
}

/* Returns the number of a word, a new one where it is new; -1 with an error set. There is room. */
static inline int32_t number_of(Scorer *self, Found word)
{
    uint32_t slot = word.hash & self->hash_mask;
    for (; self->slots[slot].number >= 0; slot = (slot + 1) & self->hash_mask) {
        const Slot *known = &self->slots[slot];
        if (known->head != word.head || known->length != word.length)
            continue;
        if (word.length <= HEAD || !memcmp(self->words[known->number].text + HEAD, word.text + HEAD,
                                           word.length - HEAD))
            return known->number;
    }
    return add_word(self, word, slot);
}

/* ---- Texts ------------------------------------------------------------------------------- */

static unsigned char CLEAN[256]; /* of an ASCII character: a-z or 0-9, END_OF_LINE or 0 */

static void fill_clean(void)
{
    for (int character = 0; character < 128; character++) {
        int lowered = character >= 'A' && character <= 'Z' ? character + 32 : character;
        int is_word = (lowered >= 'a' && lowered <= 'z') || (lowered >= '0' && lowered <= '9');
        CLEAN[character] = (unsigned char)(is_word ? lowered : 0);
    }
    CLEAN['\n'] = END_OF_LINE;
}

#define KELVIN 0x212A /* its lower case is k; that of DOTTED_I is i and a mark */
#define DOTTED_I 0x130

/* Cleans ASCII as CLEAN has it, in arithmetic that compilers do on many characters at once. */
static void clean_ascii(const unsigned char *data, Py_ssize_t length, unsigned char *cleaned)
{
    for (Py_ssize_t place = 0; place < length; place++) {
        unsigned char character = data[place];
        unsigned char lowered = character | ((unsigned char)(character - 'A') < 26 ? 32 : 0);
        unsigned char is_letter = (unsigned char)(lowered - 'a') < 26;
        unsigned char is_digit = (unsigned char)(character - '0') < 10;
        unsigned char other = character == '\n' ? END_OF_LINE : 0;
        cleaned[place] = is_letter | is_digit ? lowered : other;
    }
}

/* Cleans characters of one width; returns whether all of them are as `CLEAN` has them. */
#define CLEAN_ALL(type)                                                                        \
    for (Py_ssize_t place = 0; place < length; place++) {                                      \
        Py_UCS4 character = ((const type *)data)[place];                                       \
        cleaned[place] = (char)(character < 128 ? CLEAN[character]                             \
                                                : character == KELVIN ? 'k' : 0);              \
        is_whole &= character != DOTTED_I;                                                     \
    }

static int clean_all(PyObject *text, Py_ssize_t length, char *cleaned)
{
    const void *data = PyUnicode_DATA(text);
    int is_whole = 1;
    if (PyUnicode_IS_ASCII(text))
        clean_ascii(data, length, (unsigned char *)cleaned);
    else if (PyUnicode_KIND(text) == PyUnicode_1BYTE_KIND)
        CLEAN_ALL(Py_UCS1)
    else if (PyUnicode_KIND(text) == PyUnicode_2BYTE_KIND)
        CLEAN_ALL(Py_UCS2)
    else
        CLEAN_ALL(Py_UCS4)
    return is_whole;
}

/* Writes a text in lower case with separators marked into `cleaned`, and STRIDE zeros after it.
 * Past ASCII, two letters alone have a lower case that holds a letter of ASCII. */
static int clean(Scorer *self, PyObject *text, Py_ssize_t *length)
{
    *length = PyUnicode_GET_LENGTH(text);
    if (reserve(&self->cleaned, &self->cleaned_room, (size_t)*length + STRIDE, 1) < 0)
        return -1;
    if (!clean_all(text, *length, self->cleaned)) {
        PyObject *lowered = PyObject_CallMethod(text, "lower", NULL);
        if (!lowered)
            return -1;
        *length = PyUnicode_GET_LENGTH(lowered);
        int failed = reserve(&self->cleaned, &self->cleaned_room, (size_t)*length + STRIDE, 1) < 0;
        if (!failed)
            clean_all(lowered, *length, self->cleaned);
        Py_DECREF(lowered);
        if (failed)
            return -1;
    }
    memset(self->cleaned + *length, 0, STRIDE);
    return 0;
}

/* Which of STRIDE cleaned characters are of words, and which end a line; the first one is bit 0. */
typedef struct {
    uint64_t words, ends;
} Marks;

static inline Marks marks_of(const char *cleaned)
{
    Marks marks = {0, 0};
#ifdef __SSE2__
    const __m128i line = _mm_set1_epi8(END_OF_LINE);
    for (int at = 0; at < STRIDE; at += 16) {
        __m128i letters = _mm_loadu_si128((const __m128i *)(cleaned + at));
        uint64_t words = (uint32_t)_mm_movemask_epi8(_mm_cmpgt_epi8(letters, line));
        uint64_t ends = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(letters, line));
        marks.words |= words << at;
        marks.ends |= ends << at;
    }
#else
    for (int at = 0; at < STRIDE; at++) {
        marks.words |= (uint64_t)(cleaned[at] > END_OF_LINE) << at;
        marks.ends |= (uint64_t)(cleaned[at] == END_OF_LINE) << at;
    }
#endif
    return marks;
}

/* Finds the words of the cleaned text, for which there is room, and the lines. Returns how many
 * words there are, or -1 with MemoryError set. */
static int32_t find_words(Scorer *self, Text *text, Py_ssize_t length)
{
    int32_t count = 0;
    const char *start = NULL; /* of the word that is being read */
    if (reserve(&text->starts, &text->starts_room, 2, sizeof(int32_t)) < 0)
        return -1;
    text->starts[0] = 0;
    text->num_lines = 1;
    for (const char *cleaned = self->cleaned; cleaned <= self->cleaned + length;
         cleaned += STRIDE) {
        Marks marks = marks_of(cleaned);
        /* Where a word starts or ends, or a line does. */
        uint64_t events = (marks.words ^ (marks.words << 1 | (start != NULL))) | marks.ends;
        for (; events; events &= events - 1) {
            const char *place = cleaned + LOWEST_BIT(events);
            if (*place > END_OF_LINE) {
                start = place;
                continue;
            }
            if (start) {
                Found word = found_word(start, (size_t)(place - start));
                if (self->slots)
                    PREFETCH(&self->slots[word.hash & self->hash_mask]);
                self->found[count++] = word;
                start = NULL;
            }
            if (*place != END_OF_LINE)
                continue;
            if (reserve(&text->starts, &text->starts_room, (size_t)text->num_lines + 2,
                        sizeof(int32_t)) < 0)
                return -1;
            text->starts[text->num_lines++] = count;
        }
    }
    text->starts[text->num_lines] = text->num_words = count;
    return count;
}

static int read_text(Scorer *self, PyObject *string, Text *text)
{
    Py_ssize_t length;
    if (clean(self, string, &length) < 0)
        return -1;
    if (length >= INT32_MAX / 8) {
        PyErr_SetString(PyExc_ValueError, "the text is too long to be scored");
        return -1;
    }
    size_t most = (size_t)length / 2 + 1;
    if (reserve(&text->words, &text->words_room, most, sizeof(int32_t)) < 0 ||
        reserve(&self->found, &self->found_room, most, sizeof(Found)) < 0)
        return -1;
    int32_t count = find_words(self, text, length);
    if (count < 0)
        return -1;
    if (make_room(self, (size_t)count) < 0)
        return -1;
    for (int32_t place = 0; place < count; place++)
        if ((text->words[place] = number_of(self, self->found[place])) < 0)
            return -1;
    return 0;
}

/* Puts stems in place of words. Returns 1, or 0 where a stem is missing. */
static int stem_text(const Scorer *self, Text *text)
{
    int is_whole = 1;
    for (int32_t place = 0; place < text->num_words; place++) {
        int32_t stem = self->words[text->words[place]].stem;
        if (stem == NONE)
            is_whole = 0;
        else
            text->words[place] = stem;
    }
    return is_whole;
}

static PyObject *missing_stems(const Scorer *self)
{
    PyObject *missing = PySet_New(NULL);
    const Text *texts[] = {&self->candidate, &self->reference};
    for (int number = 0; missing && number < 2; number++)
        for (int32_t place = 0; missing && place < texts[number]->num_words; place++) {
            const Word *word = &self->words[texts[number]->words[place]];
            if (word->stem != NONE)
                continue;
            PyObject *text = PyUnicode_FromStringAndSize(word->text, word->length);
            if (!text || PySet_Add(missing, text) < 0)
                Py_CLEAR(missing);
            Py_XDECREF(text);
        }
    return missing;
}

/* ---- Scores ------------------------------------------------------------------------------ */

/* Numbers the distinct words of the reference, and turns both texts into such uids:
 * reference->words and, in `uids`, the candidate's, NONE where the reference has no such word.
 * Returns how many there are, -1 with an error set. */
static int32_t number_uids(Scorer *self)
{
    Text *reference = &self->reference, *candidate = &self->candidate;
    if ((size_t)self->num_words > self->known_room) {
        PyMem_Free(self->known);
        self->known = NULL;
        self->known_room = 0;
        self->pair = UINT32_MAX;
        if (reserve(&self->known, &self->known_room, (size_t)self->num_words, sizeof(Known)) < 0)
            return -1;
    }
    if (self->pair == UINT32_MAX) {
        if (self->known_room)
            memset(self->known, 0, self->known_room * sizeof(Known));
        self->pair = 0;
    }
    const uint32_t pair = ++self->pair;
    Known *known = self->known;
    int32_t count = 0;
    for (int32_t place = 0; place < reference->num_words; place++) {
        Known *word = &known[reference->words[place]];
        if (word->pair != pair)
            *word = (Known){pair, count++};
        reference->words[place] = word->uid;
    }
    if (reserve(&self->uids, &self->uids_room, (size_t)candidate->num_words + 1,
                sizeof(int32_t)) < 0)
        return -1;
    for (int32_t place = 0; place < candidate->num_words; place++) {
        const Known *word = &known[candidate->words[place]];
        self->uids[place] = word->pair == pair ? word->uid : NONE;
    }
    return count;
}

static int same_words(const int32_t *words, const int32_t *others, int count)
{
    for (int place = 0; place < count; place++)
        if (words[place] != others[place])
            return 0;
    return 1;
}

/* Returns how many n-grams the texts share, each as often as both hold it; -1 with an error. */
static int64_t count_grams(Scorer *self, int n, int32_t num_known)
{
    const int32_t *told = self->reference.words;
    int32_t total = self->reference.num_words - n + 1;
    int32_t tried = self->candidate.num_words - n + 1;
    int64_t matches = 0;
    if (total <= 0 || tried <= 0)
        return 0;
    /* first (num_known,): a place where the reference tells a gram of that first word;
     * next (total,): another; left (total,): how often a gram may still be matched there. */
    if (reserve(&self->grams, &self->grams_room, (size_t)num_known + 2 * (size_t)total,
                sizeof(int32_t)) < 0)
        return -1;
    int32_t *first = self->grams, *next = first + num_known, *left = next + total;
    memset(first, 0xff, num_known * sizeof(int32_t));
    if (n == 1) {
        memset(left, 0, total * sizeof(int32_t));
        for (int32_t place = 0; place < total; place++)
            left[told[place]]++;
        for (int32_t place = 0; place < tried; place++)
            if (self->uids[place] != NONE && left[self->uids[place]] > 0) {
                left[self->uids[place]]--;
                matches++;
            }
        return matches;
    }
    for (int32_t place = 0; place < total; place++) {
        int32_t other = first[told[place]];
        while (other >= 0 && !same_words(told + other + 1, told + place + 1, n - 1))
            other = next[other];
        if (other >= 0) {
            left[other]++;
            continue;
        }
        left[place] = 1;
        next[place] = first[told[place]];
        first[told[place]] = place;
    }
    for (int32_t place = 0; place < tried; place++) {
        if (self->uids[place] == NONE)
            continue;
        int32_t other = first[self->uids[place]];
        while (other >= 0 && !same_words(told + other + 1, self->uids + place + 1, n - 1))
            other = next[other];
        if (other >= 0 && left[other] > 0) {
            left[other]--;
            matches++;
        }
    }
    return matches;
}

/* Fills in the bits of the places of every word; returns NULL with an error set. */
static uint64_t *find_places(Scorer *self, int32_t num_known, size_t more)
{
    int32_t blocks = (self->reference.num_words + 63) / 64;
    size_t count = (size_t)num_known * blocks;
    if (reserve(&self->rows, &self->rows_room, count + more + 1, sizeof(uint64_t)) < 0)
        return NULL;
    memset(self->rows, 0, count * sizeof(uint64_t));
    for (int32_t place = 0; place < self->reference.num_words; place++)
        self->rows[(size_t)self->reference.words[place] * blocks + place / 64] |=
            (uint64_t)1 << place % 64;
    return self->rows;
}

static int64_t count_lcs(Scorer *self, int32_t num_known)
{
    int32_t blocks = (self->reference.num_words + 63) / 64;
    uint64_t *places = find_places(self, num_known, blocks);
    if (!places)
        return -1;
    uint64_t *row = places + (size_t)num_known * blocks;
    memset(row, 0xff, blocks * sizeof(uint64_t));
    for (int32_t place = 0; place < self->candidate.num_words; place++)
        if (self->uids[place] != NONE)
            lcs_step(row, places + (size_t)self->uids[place] * blocks, blocks);
    int64_t zeros = self->reference.num_words;
    for (int32_t block = 0; block < blocks; block++) {
        int32_t bits = self->reference.num_words - 64 * block;
        zeros -= count_bits(bits >= 64 ? row[block] : row[block] & (((uint64_t)1 << bits) - 1));
    }
    return zeros;
}

static int64_t count_lsum(Scorer *self, int32_t num_known)
{
    const Text *told = &self->reference, *tried = &self->candidate;
    int32_t blocks = (told->num_words + 63) / 64, longest = 0;
    int64_t matches = 0;
    for (int32_t line = 0; line < tried->num_lines; line++) {
        int32_t length = tried->starts[line + 1] - tried->starts[line];
        longest = length > longest ? length : longest;
    }
    size_t more = ((size_t)longest + 2) * (blocks + 1);
    uint64_t *places = find_places(self, num_known, more);
    if (!places || reserve(&self->counts, &self->counts_room, 2 * (size_t)num_known + 1,
                           sizeof(int32_t)) < 0)
        return -1;
    uint64_t *found = places + (size_t)num_known * blocks, *rows = found + blocks;
    memset(found, 0, blocks * sizeof(uint64_t));
    for (int32_t line = 0; line < tried->num_lines; line++) {
        int32_t start = tried->starts[line], length = tried->starts[line + 1] - start;
        for (int32_t number = 0; length && number < told->num_lines; number++)
            find_subsequence(places, blocks, told->words, told->starts[number],
                             told->starts[number + 1], self->uids + start, length, rows, found);
    }
    int32_t *counts = self->counts, *wanted = counts + num_known;
    memset(counts, 0, 2 * (size_t)num_known * sizeof(int32_t));
    for (int32_t place = 0; place < tried->num_words; place++)
        if (self->uids[place] != NONE)
            counts[self->uids[place]]++;
    for (int32_t place = 0; place < told->num_words; place++)
        if (found[place / 64] >> place % 64 & 1)
            wanted[told->words[place]]++;
    for (int32_t uid = 0; uid < num_known; uid++)
        matches += counts[uid] < wanted[uid] ? counts[uid] : wanted[uid];
    return matches;
}

static PyObject *make_score(const Scorer *self, int64_t matches, int64_t reference,
                            int64_t candidate)
{
    double values[3];
    values[0] = (double)matches / (double)(candidate > 1 ? candidate : 1);
    values[1] = (double)matches / (double)(reference > 1 ? reference : 1);
    values[2] = harmonic(values[0], values[1]);
    PyObject *score = self->score_type->tp_alloc(self->score_type, 3);
    for (int number = 0; score && number < 3; number++) {
        PyObject *value = PyFloat_FromDouble(values[number]);
        if (!value)
            Py_CLEAR(score);
        else
            PyTuple_SET_ITEM(score, number, value);
    }
    return score;
}

/* Returns the score of one kind: its code is n for ROUGE-n, 0 for ROUGE-L, -1 for ROUGE-Lsum. */
static PyObject *score_kind(Scorer *self, long code, int32_t num_known)
{
    int64_t matches, told = self->reference.num_words, tried = self->candidate.num_words;
    if (!told || !tried)
        matches = 0;
    else if (code > 0)
        matches = count_grams(self, (int)code, num_known);
    else
        matches = code ? count_lsum(self, num_known) : count_lcs(self, num_known);
    if (matches < 0)
        return NULL;
    if (code > 0) {
        told = told >= code ? told - code + 1 : 0;
        tried = tried >= code ? tried - code + 1 : 0;
    }
    return make_score(self, matches, told, tried);
}

PyDoc_STRVAR(scorer_score_doc,
             "score(candidate, reference, names, codes, stems, keep)\n--\n\n"
             "Returns a dict from names to scores; codes are n for ROUGE-n, 0 for ROUGE-L, -1 for\n"
             "ROUGE-Lsum. With stems, it returns a set of words instead where the stems of some\n"
             "are not known: learn them, and ask again with keep, which forgets no word.");

#define MOST_WORDS (1 << 20)

static PyObject *scorer_score(Scorer *self, PyObject *const *args, Py_ssize_t num_args)
{
    if (num_args != 6 || !PyUnicode_Check(args[0]) || !PyUnicode_Check(args[1]) ||
        !PyTuple_Check(args[2]) || !PyTuple_Check(args[3]) ||
        PyTuple_GET_SIZE(args[2]) != PyTuple_GET_SIZE(args[3])) {
        PyErr_SetString(PyExc_TypeError, "score needs two strings, names, codes and two flags");
        return NULL;
    }
    if (self->num_words > MOST_WORDS && args[5] != Py_True)
        forget(self);
    if (read_text(self, args[0], &self->candidate) < 0 ||
        read_text(self, args[1], &self->reference) < 0)
        return NULL;
    if (args[4] == Py_True) {
        int is_whole = stem_text(self, &self->candidate);
        is_whole &= stem_text(self, &self->reference);
        if (!is_whole)
            return missing_stems(self);
    }
    int32_t num_known = number_uids(self);
    PyObject *result = num_known < 0 ? NULL : PyDict_New();
    for (Py_ssize_t at = 0; result && at < PyTuple_GET_SIZE(args[2]); at++) {
        long code = PyLong_AsLong(PyTuple_GET_ITEM(args[3], at));
        if (code < -1 || code > MAX_N) {
            if (!PyErr_Occurred())
                PyErr_Format(PyExc_ValueError, "no kind of ROUGE has the code %ld", code);
            Py_CLEAR(result);
            break;
        }
        PyObject *score =
            code == -1 && PyErr_Occurred() ? NULL : score_kind(self, code, num_known);
        if (!score || PyDict_SetItem(result, PyTuple_GET_ITEM(args[2], at), score) < 0)
            Py_CLEAR(result);
        Py_XDECREF(score);
    }
    return result;
}

static int32_t number_of_string(Scorer *self, const char *text, Py_ssize_t length)
{
    if (reserve(&self->cleaned, &self->cleaned_room, (size_t)length + STRIDE, 1) < 0)
        return -1;
    memcpy(self->cleaned, text, (size_t)length);
    memset(self->cleaned + length, 0, STRIDE);
    return make_room(self, 1) < 0 ? -1 : number_of(self, found_word(self->cleaned, (size_t)length));
}

PyDoc_STRVAR(scorer_learn_doc, "learn(stems)\n--\n\nRemembers stems, a dict from word to stem.");

static PyObject *scorer_learn(Scorer *self, PyObject *stems)
{
    PyObject *key, *value;
    Py_ssize_t place = 0;
    if (!PyDict_Check(stems)) {
        PyErr_SetString(PyExc_TypeError, "learn needs a dict from word to stem");
        return NULL;
    }
    while (PyDict_Next(stems, &place, &key, &value)) {
        Py_ssize_t length, stem_length;
        const char *word = PyUnicode_Check(key) ? PyUnicode_AsUTF8AndSize(key, &length) : NULL;
        const char *stem =
            PyUnicode_Check(value) ? PyUnicode_AsUTF8AndSize(value, &stem_length) : NULL;
        if (!word || !stem) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_TypeError, "words and stems are strings");
            return NULL;
        }
        int32_t number = number_of_string(self, word, length);
        int32_t own = number < 0 ? -1 : number_of_string(self, stem, stem_length);
        if (own < 0)
            return NULL;
        self->words[number].stem = own;
    }
    Py_RETURN_NONE;
}

static PyObject *scorer_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    PyObject *score_type;
    (void)keywords;
    if (!PyArg_ParseTuple(args, "O!:Scorer", &PyType_Type, &score_type))
        return NULL;
    if (!PyType_IsSubtype((PyTypeObject *)score_type, &PyTuple_Type) ||
        ((PyTypeObject *)score_type)->tp_basicsize != PyTuple_Type.tp_basicsize) {
        PyErr_SetString(PyExc_TypeError, "scores must be a NamedTuple of three numbers");
        return NULL;
    }
    fill_clean();
    Scorer *self = (Scorer *)type->tp_alloc(type, 0);
    if (self) {
        self->score_type = (PyTypeObject *)Py_NewRef(score_type);
        self->pair = UINT32_MAX;
    }
    return (PyObject *)self;
}

static void scorer_dealloc(Scorer *self)
{
    arena_free(&self->arena);
    PyMem_Free(self->words);
    PyMem_Free(self->slots);
    PyMem_Free(self->known);
    PyMem_Free(self->candidate.words);
    PyMem_Free(self->candidate.starts);
    PyMem_Free(self->reference.words);
    PyMem_Free(self->reference.starts);
    PyMem_Free(self->cleaned);
    PyMem_Free(self->found);
    PyMem_Free(self->uids);
    PyMem_Free(self->counts);
    PyMem_Free(self->grams);
    PyMem_Free(self->rows);
    Py_XDECREF(self->score_type);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMethodDef scorer_methods[] = {
    {"score", (PyCFunction)(void (*)(void))scorer_score, METH_FASTCALL, scorer_score_doc},
    {"learn", (PyCFunction)scorer_learn, METH_O, scorer_learn_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(scorer_doc, "Scorer(score_type)\n--\n\nScores texts; remembers their words.");

PyTypeObject ScorerType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "lightbulb_envs.kernel._native.Scorer",
    .tp_basicsize = sizeof(Scorer),
    .tp_dealloc = (destructor)scorer_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = scorer_doc,
    .tp_methods = scorer_methods,
    .tp_new = scorer_new,
};
