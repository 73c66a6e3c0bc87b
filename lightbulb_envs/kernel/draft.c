/* The state of one draft: start, extend, score. */
#include "kernel.h"

static void extend_facts(const Document *document, char *memory, const Sentence *sentence)
{
    State *state = (State *)memory;
    uint64_t *seen = (uint64_t *)(memory + document->at_seen);
    for (int32_t number = 0; number < sentence->num_claims; number++) {
        int32_t fact = sentence->claims[number];
        uint64_t bit = (uint64_t)1 << fact % 64;
        state->claimed += document->fact_weight[fact];
        if (document->fact_is_key[fact] && !(seen[fact / 64] & bit)) {
            seen[fact / 64] |= bit;
            state->covered += document->fact_weight[fact];
        }
    }
}

/* Takes a gram of the reference off those that may still be matched; returns 1 if one was left. */
static inline int32_t match_one(Uid *left, Uid gram)
{
    int32_t is_left = left[gram] > 0;
    left[gram] = (Uid)(left[gram] - is_left);
    return is_left;
}

/* Matches the n-grams that start in the draft before and end in the new sentence. */
static int32_t extend_across(const Grams *grams, int n, const Uid *before, int32_t num_before,
                             const Uid *head, int32_t num_edge, Uid *left)
{
    int32_t matches = 0;
    for (int old = n - 1; old >= 1; old--) {
        int fresh = n - old;
        if (old > num_before || fresh > num_edge)
            continue;
        const Uid *first = before + num_before - old;
        Uid gram = first[0] == UNKNOWN ? UNKNOWN : grams->first[first[0]];
        for (; gram != UNKNOWN; gram = grams->next[gram]) {
            const Uid *uids = grams->uids + (size_t)gram * n;
            if (same_uids(uids, first, old) && same_uids(uids + old, head, fresh)) {
                matches += match_one(left, gram);
                break;
            }
        }
    }
    return matches;
}

static void extend_lsum(const Document *document, int reading, char *memory,
                        const Against *against)
{
    State *state = (State *)memory;
    const Reference *reference = &document->references[reading];
    uint64_t *found = (uint64_t *)(memory + document->at_found[reading]);
    int32_t *counts = (int32_t *)(memory + document->at_counts[reading]);
    int32_t *wanted = counts + reference->num_known;
    int32_t matches = 0; /* what the sum of min(counts, wanted) grows by */
    for (int32_t place = 0; place < against->num_known; place++) {
        Uid uid = against->data[place];
        matches += counts[uid]++ < wanted[uid];
    }
    for (int32_t block = 0; block < reference->num_blocks; block++) {
        uint64_t fresh = against->found[block] & ~found[block];
        found[block] |= fresh;
        for (; fresh; fresh &= fresh - 1) {
            Uid uid = reference->uids[64 * block + LOWEST_BIT(fresh)];
            matches += wanted[uid]++ < counts[uid];
        }
    }
    state->matches[document->reward->num_ngrams + reading] += matches;
}

/* A row of so many blocks, which a compiler may keep in registers where it knows how many. */
static inline void extend_blocks(uint64_t *row, const uint64_t *places, const Uid *uids,
                                 int32_t count, const int32_t blocks)
{
    uint64_t kept[4];
    memcpy(kept, row, (size_t)blocks * sizeof(uint64_t));
    for (int32_t place = 0; place < count; place++)
        lcs_step(kept, places + (size_t)uids[place] * (size_t)blocks, blocks);
    memcpy(row, kept, (size_t)blocks * sizeof(uint64_t));
}

static void extend_l(const Document *document, int reading, char *memory, const Against *against)
{
    const Reference *reference = &document->references[reading];
    const uint64_t *places = reference->places;
    uint64_t *row = (uint64_t *)(memory + document->at_row[reading]);
    int32_t blocks = reference->num_blocks, count = against->num_known;
    switch (blocks) {
    case 1:
        extend_blocks(row, places, against->data, count, 1);
        break;
    case 2:
        extend_blocks(row, places, against->data, count, 2);
        break;
    case 3:
        extend_blocks(row, places, against->data, count, 3);
        break;
    case 4:
        extend_blocks(row, places, against->data, count, 4);
        break;
    default:
        for (int32_t place = 0; place < count; place++)
            lcs_step(row, places + (size_t)against->data[place] * blocks, blocks);
    }
    if (blocks && reference->num_words % 64)
        row[blocks - 1] &= ((uint64_t)1 << reference->num_words % 64) - 1;
}

/* Keeps the last words of the draft, as many as an n-gram may start with. */
static inline void keep_tail(Uid *before, int32_t num_before, const Uid *tail, int32_t edge,
                             int32_t longest)
{
    int32_t old = longest - edge < num_before ? longest - edge : num_before;
    for (int32_t place = 0; place < old; place++)
        before[place] = before[num_before - old + place];
    for (int32_t place = 0; place < edge; place++)
        before[old + place] = tail[place];
}

static inline void extend_reading(const Document *document, int reading, char *memory,
                                  const Sentence *sentence)
{
    State *state = (State *)memory;
    const Reward *reward = document->reward;
    const Against *against = sentence->against[reading];
    int32_t num_known = against->num_known, edge = sentence->num_edge;
    const Uid *head = against->data + num_known, *grams = head + 2 * edge;
    Uid *before = (Uid *)(memory + reward->at_before[reading]);
    if (reward->unigram[reading] >= 0) {
        int slot = reward->unigram[reading];
        Uid *left = (Uid *)(memory + document->at_left[slot]);
        int32_t matches = 0;
        for (int32_t place = 0; place < num_known; place++)
            matches += match_one(left, against->data[place]);
        state->matches[slot] += matches;
    }
    for (int number = 0; number < reward->num_longer[reading]; number++) {
        int slot = reward->longer[reading][number];
        Uid *left = (Uid *)(memory + document->at_left[slot]);
        uint32_t count = read_count(grams);
        int32_t matches = extend_across(&document->grams[slot], reward->ngrams[slot].n, before,
                                        state->num_before, head, edge, left);
        grams += 2;
        for (uint32_t place = 0; place < count; place++)
            matches += match_one(left, grams[place]);
        grams += count;
        state->matches[slot] += matches;
    }
    if (reward->uses_l[reading])
        extend_l(document, reading, memory, against);
    if (reward->uses_lsum[reading])
        extend_lsum(document, reading, memory, against);
    if (reward->longest_n > 1)
        keep_tail(before, state->num_before, head + edge, edge, reward->longest_n - 1);
}

void draft_extend(const Document *document, char *memory, const Sentence *sentence)
{
    const Reward *reward = document->reward;
    State *state = (State *)memory;
    if (reward->uses_facts)
        extend_facts(document, memory, sentence);
    for (int reading = 0; reading < READINGS; reading++)
        if (reward->uses[reading])
            extend_reading(document, reading, memory, sentence);
    if (reward->longest_n > 1) {
        int32_t grown = state->num_before + sentence->num_edge;
        state->num_before = grown < reward->longest_n - 1 ? grown : reward->longest_n - 1;
    }
    state->length += sentence->length;
}

/* Matches the n-gram that ends in a word of the reference. */
static inline int32_t extend_gram(const Grams *grams, int n, const Uid *before, Uid uid, Uid *left)
{
    Uid gram = before[0] == UNKNOWN ? UNKNOWN : grams->first[before[0]];
    for (; gram != UNKNOWN; gram = grams->next[gram]) {
        const Uid *uids = grams->uids + (size_t)gram * n;
        if (uids[n - 1] == uid && same_uids(uids, before, n - 1))
            return match_one(left, gram);
    }
    return 0;
}

/* Does what `extend_reading` does for a sentence of one word, which the reference holds. */
static inline void extend_known(const Document *document, int reading, char *memory,
                                const Uid *before, Uid uid)
{
    State *state = (State *)memory;
    const Reward *reward = document->reward;
    if (reward->unigram[reading] >= 0) {
        int slot = reward->unigram[reading];
        state->matches[slot] += match_one((Uid *)(memory + document->at_left[slot]), uid);
    }
    for (int number = 0; number < reward->num_longer[reading]; number++) {
        int slot = reward->longer[reading][number], n = reward->ngrams[slot].n;
        if (state->num_before >= n - 1)
            state->matches[slot] +=
                extend_gram(&document->grams[slot], n, before + state->num_before - (n - 1), uid,
                            (Uid *)(memory + document->at_left[slot]));
    }
    if (reward->uses_l[reading]) {
        const Against against = {NULL, &uid, 1};
        extend_l(document, reading, memory, &against);
    }
}

void draft_extend_word(const Document *document, char *memory, const int32_t *words)
{
    Uid uids[READINGS] = {UNKNOWN, UNKNOWN};
    for (int reading = 0; reading < READINGS; reading++)
        if (document->reward->uses[reading])
            uids[reading] = find_word(&document->references[reading], words[reading]);
    draft_extend_uids(document, memory, uids);
}

void draft_extend_uids(const Document *document, char *memory, const Uid *uids)
{
    const Reward *reward = document->reward;
    State *state = (State *)memory;
    int32_t longest = reward->longest_n - 1;
    for (int reading = 0; reading < READINGS; reading++) {
        if (!reward->uses[reading])
            continue;
        Uid uid = uids[reading];
        Uid *before = (Uid *)(memory + reward->at_before[reading]);
        if (uid != UNKNOWN)
            extend_known(document, reading, memory, before, uid);
        if (longest == 1)
            before[0] = uid;
        else if (longest > 1)
            keep_tail(before, state->num_before, &uid, 1, longest);
    }
    if (state->num_before < longest)
        state->num_before++;
    state->length++;
}

void draft_prefetch(const Document *document, const char *state, const Sentence *sentence)
{
    const Reward *reward = document->reward;
    prefetch_lines(state, document->state_size, 1024);
    PREFETCH(document->told);
    PREFETCH(document->at_left);
    if (reward->uses_facts) {
        PREFETCH(sentence->claims);
        PREFETCH(document->fact_weight);
        PREFETCH(document->fact_is_key);
    }
    for (int reading = 0; reading < READINGS; reading++)
        if (reward->uses[reading]) {
            const Reference *reference = &document->references[reading];
            prefetch_lines(sentence->against[reading], 128, 128);
            if (reward->uses_l[reading])
                prefetch_lines(reference->places,
                               8 * (size_t)reference->num_known * reference->num_blocks, 512);
        }
    for (int slot = 0; slot < reward->num_ngrams; slot++)
        if (reward->ngrams[slot].n > 1)
            PREFETCH(document->grams[slot].first);
}

static double fact_score(const Document *document, const State *state, Kind kind)
{
    double precision = state->claimed > 0 ? state->covered / state->claimed : 0.0;
    double recall = document->key_weight > 0 ? state->covered / document->key_weight : 0.0;
    if (kind == FACT_PRECISION)
        return precision;
    return kind == FACT_RECALL ? recall : harmonic(precision, recall);
}

static double length_score(int64_t reference, int64_t candidate)
{
    int64_t longest = reference > candidate ? reference : candidate;
    int64_t shortest = reference > candidate ? candidate : reference;
    return longest > 0 ? (double)shortest / (double)longest : 0.0;
}

static inline int32_t lcs_length(const Document *document, const char *memory, int reading)
{
    const Reference *reference = &document->references[reading];
    const uint64_t *row = (const uint64_t *)(memory + document->at_row[reading]);
    int32_t zeros = reference->num_words;
    for (int32_t block = 0; block < reference->num_blocks; block++)
        zeros -= count_bits(row[block]);
    return zeros;
}

/* Returns how many words or n-grams ROUGE matches, and of how many in the draft. */
static inline int64_t rouge_matches(const Document *document, const char *memory, const Part *part,
                                    int64_t *tried)
{
    const State *state = (const State *)memory;
    *tried = state->length;
    switch (part->kind) {
    case ROUGE_N:
        *tried -= part->n - 1;
        return state->matches[part->slot];
    case ROUGE_L:
        return lcs_length(document, memory, part->reading);
    default:
        return state->matches[document->reward->num_ngrams + part->reading];
    }
}

int is_f1(const Part *part)
{
    return part->kind >= ROUGE_N || part->kind == FACT_F1;
}

double draft_told(const Document *document, int number)
{
    if (document->reward->parts[number].kind >= ROUGE_N)
        return document->told[number];
    return document->key_weight > 0 ? document->key_weight : 1.0;
}

void draft_counts(const Document *document, const char *memory, double *counts, size_t stride)
{
    const Reward *reward = document->reward;
    const State *state = (const State *)memory;
    for (int number = 0; number < reward->num_parts; number++, counts += 2 * stride) {
        const Part *part = &reward->parts[number];
        double *matched = counts, *tried = counts + stride;
        if (part->kind >= ROUGE_N) {
            int64_t words, matches = rouge_matches(document, memory, part, &words);
            *matched = (double)matches;
            *tried = (double)(words > 1 ? words : 1);
        }
        else if (part->kind == FACT_F1) {
            *matched = state->covered; /* 0 where nothing is claimed, or nothing is key */
            *tried = state->claimed > 0 ? state->claimed : 1.0;
        }
        else if (part->kind == LENGTH)
            *matched = length_score(document->reference_length, state->length);
        else
            *matched = fact_score(document, state, part->kind);
    }
}

/* Not by way of `draft_counts`: what goes through memory makes a step a fifth slower. */
void draft_scores(const Document *document, const char *memory, double *scores)
{
    const Reward *reward = document->reward;
    const State *state = (const State *)memory;
    for (int number = 0; number < reward->num_parts; number++) {
        const Part *part = &reward->parts[number];
        double score;
        if (part->kind >= ROUGE_N) {
            int64_t tried, matches = rouge_matches(document, memory, part, &tried);
            double precision = (double)matches / (double)(tried > 1 ? tried : 1);
            score = harmonic(precision, (double)matches / document->told[number]);
        }
        else if (part->kind == LENGTH)
            score = length_score(document->reference_length, state->length);
        else
            score = fact_score(document, state, part->kind);
        scores[number] = part->weight * score;
    }
}

/* ---- Drafts as Python values, for searches ------------------------------------------------ */

typedef struct {
    PyObject_VAR_HEAD
    Document *document;
    char memory[];
} Draft;

static Draft *draft_new(Document *document, const char *memory)
{
    Draft *draft = PyObject_NewVar(Draft, &DraftType, (Py_ssize_t)document->state_size);
    if (!draft)
        return NULL;
    draft->document = (Document *)Py_NewRef((PyObject *)document);
    memcpy(draft->memory, memory, document->state_size);
    return draft;
}

static void draft_dealloc(Draft *draft)
{
    Py_DECREF(draft->document);
    Py_TYPE(draft)->tp_free((PyObject *)draft);
}

PyObject *document_start(Document *document, PyObject *ignored)
{
    (void)ignored;
    return (PyObject *)draft_new(document, document->start);
}

PyDoc_STRVAR(draft_with_doc,
             "extend(sentence)\n--\n\nReturns the draft with a sentence added, by its number.");

static PyObject *draft_with(Draft *draft, PyObject *argument)
{
    Document *document = draft->document;
    Py_ssize_t number = PyNumber_AsSsize_t(argument, PyExc_IndexError);
    if (number == -1 && PyErr_Occurred())
        return NULL;
    if (number < 0 || number >= document->num_sentences) {
        PyErr_Format(PyExc_IndexError, "a sentence must be in [0, %d), got %zd",
                     document->num_sentences, number);
        return NULL;
    }
    Sentence *sentence = &document->sentences[number];
    if (!sentence->is_ready && sentence_prepare(document, sentence) < 0)
        return NULL;
    Draft *grown = draft_new(document, draft->memory);
    if (grown)
        draft_extend(document, grown->memory, sentence);
    return (PyObject *)grown;
}

PyDoc_STRVAR(draft_scores_doc, "scores()\n--\n\nReturns the weighted score of every part.");

static PyObject *draft_list_scores(Draft *draft, PyObject *ignored)
{
    double scores[MAX_PARTS];
    int count = draft->document->reward->num_parts;
    (void)ignored;
    draft_scores(draft->document, draft->memory, scores);
    PyObject *list = PyList_New(count);
    for (int number = 0; list && number < count; number++) {
        PyObject *score = PyFloat_FromDouble(scores[number]);
        if (!score)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, number, score);
    }
    return list;
}

PyDoc_STRVAR(draft_value_doc, "value()\n--\n\nReturns the sum of the weighted scores.");

static PyObject *draft_value(Draft *draft, PyObject *ignored)
{
    double scores[MAX_PARTS], total = 0.0;
    (void)ignored;
    draft_scores(draft->document, draft->memory, scores);
    for (int number = 0; number < draft->document->reward->num_parts; number++)
        total += scores[number];
    return PyFloat_FromDouble(total);
}

static PyMethodDef draft_methods[] = {
    {"extend", (PyCFunction)draft_with, METH_O, draft_with_doc},
    {"scores", (PyCFunction)draft_list_scores, METH_NOARGS, draft_scores_doc},
    {"value", (PyCFunction)draft_value, METH_NOARGS, draft_value_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(draft_doc, "A draft of a document. A value: extend returns a new one.");

PyTypeObject DraftType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "lightbulb_envs.kernel._native.Draft",
    .tp_basicsize = offsetof(Draft, memory),
    .tp_itemsize = 1,
    .tp_dealloc = (destructor)draft_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = draft_doc,
    .tp_methods = draft_methods,
};
