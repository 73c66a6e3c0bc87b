/* What the files of the kernel share. The Python modules `rewards` and `engines/drafts.py` are the
 * specification: every number here equals theirs to the bit, so compile with -ffp-contract=off.
 *
 * document.c   one document, made ready to be scored against its reference
 * draft.c      the state of one draft: start, extend, score
 * batch.c      N drafts that grow and are scored in one call
 * rows.c       N episodes of picking sentences, a step of any number of them in one call
 * stated.c     which facts a draft of words states
 * words.c      one document whose words are actions, and drafts of them
 * word_rows.c  N episodes of writing word by word, a step of any number of them in one call
 * steps.c      what episodes of both sorts share: a step's arrays, and the steps taken
 * texts.c      strings in, scores out
 * draws.c      random words, and instances
 * wording.c    the wording of a block of newsroom articles
 * newsroom.c   a block of newsroom documents, told
 * module.c     the Python module
 *
 * words.h is for what writes word by word, steps.h for what has episodes.
 */
#ifndef LIGHTBULB_KERNEL_H
#define LIGHTBULB_KERNEL_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define KERNEL_VERSION 3 /* VERSION of __init__.py */
#define MAX_PARTS 32
#define MAX_N 9 /* n-grams of ROUGE-1 … ROUGE-9 */
#define READINGS 2 /* words as they are, and their stems */

/* The number of a distinct word of a reference, or of a distinct n-gram of it. */
typedef uint16_t Uid;
#define UNKNOWN ((Uid)0xffff) /* what the reference does not hold */
#define MOST_WORDS_TOLD 65000 /* words of a reference */

/* Counts bits in place: where there is no instruction for it, compilers call a function. */
static inline int32_t count_bits(uint64_t bits)
{
    bits -= bits >> 1 & 0x5555555555555555u;
    bits = (bits & 0x3333333333333333u) + (bits >> 2 & 0x3333333333333333u);
    bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (int32_t)(bits * 0x0101010101010101u >> 56);
}

#if defined(__GNUC__)
#define LOWEST_BIT(bits) __builtin_ctzll(bits)
#define PREFETCH(address) __builtin_prefetch(address)
#else
int lightbulb_lowest_bit(uint64_t bits);
#define LOWEST_BIT(bits) lightbulb_lowest_bit(bits)
#define PREFETCH(address) (void)(address)
#endif

/* ---- Memory that is freed as a whole ---------------------------------------------------- */

typedef struct Chunk {
    struct Chunk *next;
    size_t used, size;
} Chunk;

typedef struct {
    Chunk *chunks;
} Arena;

/* Returns zeroed memory of `count` things of `size` bytes, or NULL with MemoryError set. */
void *arena_take(Arena *arena, size_t count, size_t size);
void arena_free(Arena *arena);

/* ---- Lines of numbers -------------------------------------------------------------------- */

/* An array (lines, width) without the zeros at the ends of its lines. */
typedef struct {
    int32_t *values;     /* of all lines, one after the other */
    int32_t *ends;       /* (lines,) */
    int32_t count;       /* lines up to the last that has any */
    Py_ssize_t shape[2]; /* lines, width */
} Lines;

/* Keeps an array. Returns -1 with MemoryError set. */
int lines_read(Lines *self, Arena *arena, const int32_t *all, Py_ssize_t lines, Py_ssize_t width);
/* Writes the array where another one of this shape stands before, or anything (NULL). */
void lines_write(const Lines *self, const Lines *before, int32_t *out);

/* ---- Rewards ----------------------------------------------------------------------------- */

typedef enum { FACT_PRECISION, FACT_RECALL, FACT_F1, LENGTH, ROUGE_N, ROUGE_L, ROUGE_LSUM } Kind;

typedef struct {
    Kind kind;
    int n;       /* of ROUGE_N */
    int reading; /* 0 words, 1 stems */
    double weight;
    int slot; /* of ROUGE_N: which n-gram of the reward it counts */
} Part;

typedef struct {
    int n, reading;
} Ngram;

/* The parts of a reward, and what of a document they look at. */
typedef struct {
    PyObject_HEAD
    int num_parts;
    Part parts[MAX_PARTS];
    int uses_facts;
    int uses[READINGS];
    int uses_l[READINGS];
    int uses_lsum[READINGS];
    int num_ngrams;
    Ngram ngrams[MAX_PARTS]; /* that parts count; a part names its own by `slot` */
    int longest_n;           /* 0 where no part is ROUGE-n */
    int unigram[READINGS];   /* the slot of ROUGE-1, or -1 */
    int num_longer[READINGS], longer[READINGS][MAX_N]; /* the slots of longer n-grams */
    size_t at_before[READINGS], head_size; /* places in a state, see State */
} Reward;

/* ---- Documents --------------------------------------------------------------------------- */

typedef struct {
    int32_t count;
    Uid *uids;  /* (count, n) */
    Uid *times; /* how often the reference holds each */
    Uid *first; /* by the number of a gram's first word: the first such gram, or UNKNOWN */
    Uid *next;  /* the next gram of the same first word, or UNKNOWN */
} Grams;

/* A word of a reference and its uid, which is UNKNOWN in a slot that is free. */
typedef struct {
    int32_t word;
    Uid uid;
} KnownWord;

/* A reference in one reading. */
typedef struct {
    int32_t num_words, num_known, num_blocks, num_sentences;
    uint64_t *places; /* (num_known, num_blocks) bits of a word's places */
    Uid *uids;        /* (num_words,) */
    int32_t *starts;  /* (num_sentences + 1,) */
    KnownWord *slots; /* open addressing */
    uint32_t hash_mask;
} Reference;

/* A sentence in one reading, against its reference; made when it is first needed. `data` holds
 * the uids of the words that the reference holds, in order; its first words, and its last, as uids;
 * and for every longer n-gram how many lie within the sentence (two entries), and which. */
typedef struct {
    uint64_t *found; /* (num_blocks,) reference words that ROUGE-Lsum finds in it */
    const Uid *data;
    int32_t num_known;
} Against;

typedef struct {
    int32_t length;   /* words */
    int16_t num_edge; /* min(length, longest_n - 1) */
    int16_t is_ready;
    int32_t num_claims;
    int32_t *claims;
    int32_t *words[READINGS];
    Against *against[READINGS];
} Sentence;

typedef struct {
    PyObject_HEAD
    Reward *reward;
    int32_t num_sentences, num_facts;
    Sentence *sentences;
    char *start; /* the state of an empty draft */
    size_t state_size;
    double *fact_weight;
    uint8_t *fact_is_key;
    double key_weight;
    int64_t reference_length;
    Grams *grams;    /* (num_ngrams,) */
    size_t *at_left; /* (num_ngrams,) places in a state: how often a gram may still be matched */
    double *told;    /* (num_parts,) what the matches of ROUGE are divided by for the recall */
    Reference references[READINGS];
    size_t at_seen, at_row[READINGS], at_found[READINGS], at_counts[READINGS];
    Lines tokens;
    int64_t instance;
    Arena arena;
} Document;

/* The head of a state, which is `state_size` bytes without pointers. The rest is laid out by the
 * reward (the last words of the draft in every reading) and by the document. */
typedef struct {
    double covered, claimed;
    int64_t length;
    int32_t num_before;
    int32_t matches[]; /* of every n-gram of the reward, then of ROUGE-Lsum in every reading */
} State;

void reward_lay_out(Reward *reward);
/* Makes a sentence ready to be added to drafts. Returns -1 with MemoryError set. */
int sentence_prepare(Document *document, Sentence *sentence);
/* Sets the bits of the reference words in the subsequence that `rouge-score` finds between the
 * reference's words in [start, end) and a sentence, both as uids, negative where the reference has
 * no such word. `rows` has room for (length + 1) rows of the blocks that the words need. */
void find_subsequence(const uint64_t *places, int32_t num_blocks, const int32_t *reference,
                      int32_t start, int32_t end, const int32_t *uids, int32_t length,
                      uint64_t *rows, uint64_t *found);

/* ---- Drafts ------------------------------------------------------------------------------ */

/* Adds a sentence; the sentence must be ready. */
void draft_extend(const Document *document, char *state, const Sentence *sentence);
/* Adds one word, given in every reading that the reward uses; leaves out facts and ROUGE-Lsum. */
void draft_extend_word(const Document *document, char *state, const int32_t *words);
void draft_extend_uids(const Document *document, char *state, const Uid *uids);
void draft_scores(const Document *document, const char *state, double *scores);
/* Returns whether a part is the harmonic mean of a precision and a recall. */
int is_f1(const Part *part);
/* Returns what the matches of such a part are divided by for the recall. */
double draft_told(const Document *document, int part);
/* Writes, `stride` apart, what matches and of what was tried, part by part; the score itself in the
 * place of what matches where a part is no such mean. */
void draft_counts(const Document *document, const char *state, double *counts, size_t stride);
/* Calls for the memory that adding a sentence and scoring will need; the sentence must be ready. */
void draft_prefetch(const Document *document, const char *state, const Sentence *sentence);

PyObject *document_start(Document *document, PyObject *ignored);
static inline double harmonic(double precision, double recall)
{
    return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0.0;
}

static inline void write_count(Uid *entries, uint32_t count)
{
    entries[0] = (Uid)count;
    entries[1] = (Uid)(count >> 16);
}

static inline uint32_t read_count(const Uid *entries)
{
    return entries[0] | (uint32_t)entries[1] << 16;
}

/* Maps a random word to [0, 1): `to_unit` of randomness.py. */
static inline double unit(uint32_t word)
{
    return (double)word * (1.0 / 4294967296.0);
}

static inline uint32_t hash_word(int32_t word)
{
    uint32_t hash = (uint32_t)word * 2654435769u;
    return hash ^ hash >> 15;
}

/* Returns the uid of a word, or UNKNOWN. */
static inline Uid find_word(const Reference *reference, int32_t word)
{
    uint32_t slot = hash_word(word);
    const KnownWord *known = &reference->slots[slot & reference->hash_mask];
    while (known->word != word && known->uid != UNKNOWN)
        known = &reference->slots[++slot & reference->hash_mask];
    return known->uid;
}

static inline void prefetch_lines(const void *start, size_t size, size_t most)
{
    for (size_t line = 0; line < size && line < most; line += 64)
        PREFETCH((const char *)start + line);
}

static inline int same_uids(const Uid *uids, const Uid *others, int32_t count)
{
    for (int32_t place = 0; place < count; place++)
        if (uids[place] != others[place])
            return 0;
    return 1;
}

static inline void lcs_step(uint64_t *row, const uint64_t *places, int32_t num_blocks)
{
    /* row + match | row - match over blocks, where match is a subset of row (Hyyrö 2004). */
    uint64_t carry = 0;
    for (int32_t block = 0; block < num_blocks; block++) {
        uint64_t bits = row[block], match = places[block] & bits;
        uint64_t sum = bits + match, overflow = sum < bits;
        uint64_t total = sum + carry;
        overflow |= total < sum;
        row[block] = total | (bits & ~match);
        carry = overflow;
    }
}

/* ---- The module's types ------------------------------------------------------------------ */

extern PyTypeObject RewardType, DocumentType, DraftType, BatchType, RowsType, ScorerType;
extern PyTypeObject MatcherType, WordDocumentType, WordDraftType, WordRowsType;
extern const char compile_words_doc[];
PyObject *compile_words(PyObject *module, PyObject *args);
extern const char compile_documents_doc[];
PyObject *compile_documents(PyObject *module, PyObject *args);
extern const char draw_words_doc[];
PyObject *draw_words(PyObject *module, PyObject *args);
extern const char draw_instances_doc[];
PyObject *draw_instances(PyObject *module, PyObject *args);
extern const char take_instances_doc[];
PyObject *take_instances(PyObject *module, PyObject *args);
extern const char tell_block_doc[];
PyObject *tell_block(PyObject *module, PyObject *args);
extern const char choose_block_doc[];
PyObject *choose_block(PyObject *module, PyObject *args);
extern const char order_rows_doc[];
PyObject *order_rows(PyObject *module, PyObject *args);

/* A buffer of a dtype and a number of dimensions, in C order. */
typedef struct {
    Py_buffer view;
    int is_held;
} Array;

int array_open(Array *array, PyObject *object, const char *name, char type, int dimensions,
               int writable);
void array_close(Array *array);

/* Many arrays, as a tuple; the last `written` of them are written to. */
typedef struct {
    const char *name;
    char type;
    int dimensions;
} WantedArray;

int arrays_open(PyObject *given, const WantedArray *wanted, Array *arrays, int count, int written);
void arrays_close(Array *arrays, int count);
/* Returns whether an array has a shape, as far as it has dimensions, of which there are 3 or less. */
int array_has_shape(const Array *array, Py_ssize_t first, Py_ssize_t second, Py_ssize_t third);

#endif
