/* One document, made ready to be scored against its reference. */
#include "kernel.h"

#define CHUNK 4096

void *arena_take(Arena *arena, size_t count, size_t size)
{
    if (size && count > (size_t)PY_SSIZE_T_MAX / size) {
        PyErr_NoMemory();
        return NULL;
    }
    size_t bytes = (count * size + 15) & ~(size_t)15;
    Chunk *chunk = arena->chunks;
    if (!chunk || chunk->size - chunk->used < bytes) {
        size_t wanted = bytes > CHUNK ? bytes : CHUNK;
        chunk = PyMem_Calloc(1, sizeof(Chunk) + 16 + wanted);
        if (!chunk) {
            PyErr_NoMemory();
            return NULL;
        }
        chunk->size = wanted;
        if (bytes > CHUNK && arena->chunks) { /* keep filling the chunk in use */
            chunk->next = arena->chunks->next;
            arena->chunks->next = chunk;
        }
        else {
            chunk->next = arena->chunks;
            arena->chunks = chunk;
        }
    }
    char *memory = (char *)(((uintptr_t)(chunk + 1) + 15) & ~(uintptr_t)15) + chunk->used;
    chunk->used += bytes;
    return memory;
}

void arena_free(Arena *arena)
{
    while (arena->chunks) {
        Chunk *next = arena->chunks->next;
        PyMem_Free(arena->chunks);
        arena->chunks = next;
    }
}

/* ---- References -------------------------------------------------------------------------- */

static Uid find_gram(const Grams *grams, int n, const Uid *uids)
{
    Uid gram = uids[0] == UNKNOWN ? UNKNOWN : grams->first[uids[0]];
    while (gram != UNKNOWN && !same_uids(grams->uids + (size_t)gram * n, uids, n))
        gram = grams->next[gram];
    return gram;
}

static int build_grams(Arena *arena, Grams *grams, const Reference *reference, int n)
{
    int32_t total = reference->num_words >= n ? reference->num_words - n + 1 : 0;
    grams->uids = arena_take(arena, (size_t)total * n, sizeof(Uid));
    grams->times = arena_take(arena, total, sizeof(Uid));
    grams->next = arena_take(arena, total, sizeof(Uid));
    grams->first = arena_take(arena, reference->num_known, sizeof(Uid));
    if (!grams->uids || !grams->times || !grams->next || !grams->first)
        return -1;
    memset(grams->first, 0xff, reference->num_known * sizeof(Uid));
    for (int32_t start = 0; start < total; start++) {
        const Uid *uids = reference->uids + start;
        Uid gram = find_gram(grams, n, uids);
        if (gram == UNKNOWN) {
            gram = (Uid)grams->count++;
            memcpy(grams->uids + (size_t)gram * n, uids, n * sizeof(Uid));
            grams->next[gram] = grams->first[uids[0]];
            grams->first[uids[0]] = gram;
        }
        grams->times[gram]++;
    }
    return 0;
}

static int build_reference(Document *document, int reading, const int32_t *words,
                           const int32_t *lengths, int32_t num_sentences)
{
    const Reward *reward = document->reward;
    Reference *reference = &document->references[reading];
    Arena *arena = &document->arena;
    int32_t total = 0;
    for (int32_t sentence = 0; sentence < num_sentences; sentence++)
        total += lengths[sentence];
    uint32_t size = 4;
    while (size < 4 * (uint32_t)total) /* so that most words are told apart at the first look */
        size *= 2;
    reference->num_words = total;
    reference->num_blocks = (total + 63) / 64;
    reference->num_sentences = num_sentences;
    reference->hash_mask = size - 1;
    reference->uids = arena_take(arena, total, sizeof(Uid));
    reference->starts = arena_take(arena, (size_t)num_sentences + 1, sizeof(int32_t));
    reference->slots = arena_take(arena, size, sizeof(KnownWord));
    if (!reference->uids || !reference->starts || !reference->slots)
        return -1;
    for (uint32_t slot = 0; slot < size; slot++)
        reference->slots[slot].uid = UNKNOWN;
    for (int32_t sentence = 0; sentence < num_sentences; sentence++)
        reference->starts[sentence + 1] = reference->starts[sentence] + lengths[sentence];
    for (int32_t place = 0; place < total; place++) {
        uint32_t slot = hash_word(words[place]) & reference->hash_mask;
        while (reference->slots[slot].uid != UNKNOWN &&
               reference->slots[slot].word != words[place])
            slot = (slot + 1) & reference->hash_mask;
        if (reference->slots[slot].uid == UNKNOWN)
            reference->slots[slot] = (KnownWord){words[place], (Uid)reference->num_known++};
        reference->uids[place] = reference->slots[slot].uid;
    }
    if (reward->uses_l[reading] || reward->uses_lsum[reading]) {
        reference->places = arena_take(
            arena, (size_t)reference->num_known * reference->num_blocks, sizeof(uint64_t));
        if (!reference->places)
            return -1;
        for (int32_t place = 0; place < total; place++) {
            size_t row = (size_t)reference->uids[place] * reference->num_blocks;
            reference->places[row + place / 64] |= (uint64_t)1 << place % 64;
        }
    }
    for (int slot = 0; slot < reward->num_ngrams; slot++)
        if (reward->ngrams[slot].reading == reading &&
            build_grams(arena, &document->grams[slot], reference, reward->ngrams[slot].n) < 0)
            return -1;
    return 0;
}

/* ---- Sentences --------------------------------------------------------------------------- */

static uint64_t low_bits(int32_t count)
{
    return count >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << count) - 1;
}

/* Returns how many of the low `count` bits of a row are set. */
static int32_t count_low(const uint64_t *row, int32_t count)
{
    int32_t ones = 0;
    for (; count > 0; count -= 64)
        ones += count_bits(*row++ & low_bits(count));
    return ones;
}

/* Returns bits `start` … of a row of `num_blocks`, shifted down by `start`, one block of them. */
static uint64_t shifted(const uint64_t *row, int32_t num_blocks, int32_t start, int32_t block)
{
    int32_t from = start / 64 + block, by = start % 64;
    uint64_t low = from < num_blocks ? row[from] >> by : 0;
    uint64_t high = by && from + 1 < num_blocks ? row[from + 1] << (64 - by) : 0;
    return low | high;
}

void find_subsequence(const uint64_t *places, int32_t places_blocks, const int32_t *reference,
                      int32_t start, int32_t end, const int32_t *uids, int32_t length,
                      uint64_t *rows, uint64_t *found)
{
    int32_t told = end - start, num_blocks = (told + 63) / 64;
    const int32_t *wanted = reference + start;
    for (int32_t block = 0; block < num_blocks; block++)
        rows[block] = low_bits(told - 64 * block);
    for (int32_t word = 0; word < length; word++) {
        const uint64_t *before = rows + (size_t)word * num_blocks;
        uint64_t *after = rows + (size_t)(word + 1) * num_blocks;
        uint64_t carry = 0;
        if (uids[word] < 0) {
            memcpy(after, before, num_blocks * sizeof(uint64_t));
            continue;
        }
        const uint64_t *own = places + (size_t)uids[word] * places_blocks;
        for (int32_t block = 0; block < num_blocks; block++) {
            uint64_t bits = before[block];
            uint64_t match = shifted(own, places_blocks, start, block) & bits;
            uint64_t sum = bits + match, overflow = sum < bits;
            uint64_t total = sum + carry;
            overflow |= total < sum;
            after[block] = (total | (bits & ~match)) & low_bits(told - 64 * block);
            carry = overflow;
        }
    }
    /* The table of lengths is kept as bit rows: after j words of the sentence, the length with the
     * first i words of the reference is the number of zeros in the low i bits of row j. */
    int32_t i = told, j = length;
    while (i > 0 && j > 0) {
        const uint64_t *row = rows + (size_t)j * num_blocks, *above = row - num_blocks;
        if (wanted[i - 1] == uids[j - 1]) {
            int32_t place = start + i - 1;
            found[place / 64] |= (uint64_t)1 << place % 64;
            i--;
            j--;
        }
        else if (i - count_low(above, i) > i - 1 - count_low(row, i - 1))
            j--;
        else
            i--;
    }
}

/* Writes what a sentence holds of the reference, as `Against` says; returns where it ends. */
static Uid *write_against(const Document *document, int reading, const Sentence *sentence,
                          const Uid *uids, Uid *data, int32_t *num_known)
{
    const Reward *reward = document->reward;
    int32_t length = sentence->length, edge = sentence->num_edge;
    Uid *end = data;
    for (int32_t place = 0; place < length; place++)
        if (uids[place] != UNKNOWN)
            *end++ = uids[place];
    *num_known = (int32_t)(end - data);
    memcpy(end, uids, edge * sizeof(Uid));
    memcpy(end + edge, uids + length - edge, edge * sizeof(Uid));
    end += 2 * edge;
    for (int number = 0; number < reward->num_longer[reading]; number++) {
        int slot = reward->longer[reading][number], n = reward->ngrams[slot].n;
        Uid *count = end;
        end += 2;
        for (int32_t start = 0; start + n <= length; start++) {
            Uid gram = find_gram(&document->grams[slot], n, uids + start);
            if (gram != UNKNOWN)
                *end++ = gram;
        }
        write_count(count, (uint32_t)(end - count - 2));
    }
    return end;
}

/* Finds the reference words that ROUGE-Lsum finds in a sentence. */
static int find_matches(Document *document, int reading, const Uid *uids, int32_t length,
                        Against *against)
{
    const Reference *reference = &document->references[reading];
    int32_t told = reference->num_words, blocks = reference->num_blocks;
    int32_t *wide = PyMem_Malloc(((size_t)told + length + 1) * sizeof(int32_t));
    uint64_t *rows = PyMem_Malloc(((size_t)length + 1) * (blocks + 1) * sizeof(uint64_t));
    against->found = arena_take(&document->arena, blocks, sizeof(uint64_t));
    if (wide && rows && against->found && against->num_known) {
        for (int32_t place = 0; place < told; place++)
            wide[place] = reference->uids[place];
        for (int32_t place = 0; place < length; place++)
            wide[told + place] = uids[place] == UNKNOWN ? -1 : uids[place];
        for (int32_t number = 0; number < reference->num_sentences; number++)
            find_subsequence(reference->places, blocks, wide, reference->starts[number],
                             reference->starts[number + 1], wide + told, length, rows,
                             against->found);
    }
    int failed = !wide || !rows || !against->found;
    if (failed && !PyErr_Occurred())
        PyErr_NoMemory();
    PyMem_Free(rows);
    PyMem_Free(wide);
    return failed ? -1 : 0;
}

static int prepare_reading(Document *document, Sentence *sentence, int reading)
{
    const Reward *reward = document->reward;
    const Reference *reference = &document->references[reading];
    int32_t length = sentence->length;
    int result = -1;
    size_t most = (size_t)length * (1 + reward->num_ngrams) + 2 * reward->num_ngrams +
                  2 * (size_t)sentence->num_edge;
    Uid *uids = PyMem_Malloc(((size_t)length + 1) * sizeof(Uid));
    Uid *data = PyMem_Malloc((most + 1) * sizeof(Uid));
    if (!uids || !data) {
        PyErr_NoMemory();
        goto done;
    }
    for (int32_t place = 0; place < length; place++)
        uids[place] = find_word(reference, sentence->words[reading][place]);
    int32_t num_known;
    Uid *end = write_against(document, reading, sentence, uids, data, &num_known);
    size_t size = (size_t)(end - data) * sizeof(Uid);
    Against *against = arena_take(&document->arena, 1, sizeof(Against) + size);
    if (!against)
        goto done;
    memcpy(against + 1, data, size);
    against->data = (const Uid *)(against + 1);
    against->num_known = num_known;
    sentence->against[reading] = against;
    if (reward->uses_lsum[reading] && find_matches(document, reading, uids, length, against) < 0)
        goto done;
    result = 0;
done:
    PyMem_Free(data);
    PyMem_Free(uids);
    return result;
}

int sentence_prepare(Document *document, Sentence *sentence)
{
    for (int reading = 0; reading < READINGS; reading++)
        if (document->reward->uses[reading] && prepare_reading(document, sentence, reading) < 0)
            return -1;
    sentence->is_ready = 1;
    return 0;
}

/* ---- Documents --------------------------------------------------------------------------- */

static size_t place_of(size_t *end, size_t count, size_t size)
{
    size_t place = *end;
    *end = (place + count * size + 7) & ~(size_t)7;
    return place;
}

/* Sorts the n-grams of a reward, and lays out the head of a state. */
void reward_lay_out(Reward *reward)
{
    size_t end = offsetof(State, matches) + (reward->num_ngrams + READINGS) * sizeof(int32_t);
    for (int reading = 0; reading < READINGS; reading++)
        reward->unigram[reading] = -1;
    for (int slot = 0; slot < reward->num_ngrams; slot++) {
        int reading = reward->ngrams[slot].reading;
        if (reward->ngrams[slot].n == 1)
            reward->unigram[reading] = slot;
        else
            reward->longer[reading][reward->num_longer[reading]++] = slot;
    }
    int longest = reward->longest_n > 1 ? reward->longest_n - 1 : 0;
    for (int reading = 0; reading < READINGS; reading++)
        if (reward->uses[reading])
            reward->at_before[reading] = place_of(&end, longest, sizeof(Uid));
    reward->head_size = (end + 7) & ~(size_t)7;
}

/* Lays out a state, and fills in that of an empty draft. */
static int build_start(Document *document)
{
    const Reward *reward = document->reward;
    size_t end = reward->head_size;
    if (reward->uses_facts)
        document->at_seen = place_of(&end, (document->num_facts + 63) / 64, sizeof(uint64_t));
    for (int reading = 0; reading < READINGS; reading++) {
        const Reference *reference = &document->references[reading];
        if (reward->uses_l[reading])
            document->at_row[reading] = place_of(&end, reference->num_blocks, sizeof(uint64_t));
        if (reward->uses_lsum[reading]) {
            document->at_found[reading] = place_of(&end, reference->num_blocks, sizeof(uint64_t));
            /* How often the draft holds a word, and how often the found words do. */
            document->at_counts[reading] =
                place_of(&end, 2 * (size_t)reference->num_known, sizeof(int32_t));
        }
    }
    for (int slot = 0; slot < reward->num_ngrams; slot++)
        document->at_left[slot] = place_of(&end, document->grams[slot].count, sizeof(Uid));
    document->state_size = end;
    document->start = arena_take(&document->arena, end, 1);
    document->told = arena_take(&document->arena, reward->num_parts, sizeof(double));
    if (!document->start || !document->told)
        return -1;
    for (int number = 0; number < reward->num_parts; number++) {
        const Part *part = &reward->parts[number];
        int32_t n = part->kind == ROUGE_N ? part->n : 1;
        int32_t told = document->references[part->reading].num_words - n + 1;
        document->told[number] = told > 1 ? told : 1;
    }
    for (int reading = 0; reading < READINGS; reading++) {
        const Reference *reference = &document->references[reading];
        uint64_t *row = (uint64_t *)(document->start + document->at_row[reading]);
        if (reward->uses_l[reading])
            for (int32_t block = 0; block < reference->num_blocks; block++)
                row[block] = low_bits(reference->num_words - 64 * block);
    }
    for (int slot = 0; slot < reward->num_ngrams; slot++)
        memcpy(document->start + document->at_left[slot], document->grams[slot].times,
               document->grams[slot].count * sizeof(Uid));
    return 0;
}

static void document_dealloc(Document *document)
{
    arena_free(&document->arena);
    Py_XDECREF(document->reward);
    Py_TYPE(document)->tp_free((PyObject *)document);
}

PyDoc_STRVAR(document_doc, "A document that is ready to be scored; made by compile_documents.");

static PyObject *document_instance(Document *document, void *closure)
{
    (void)closure;
    return PyLong_FromLongLong(document->instance);
}

static PyObject *document_count(Document *document, void *closure)
{
    (void)closure;
    return PyLong_FromLong(document->num_sentences);
}

static PyGetSetDef document_getset[] = {
    {"instance", (getter)document_instance, NULL, "Its instance.", NULL},
    {"num_sentences", (getter)document_count, NULL, "Its sentences.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(document_start_doc, "start()\n--\n\nReturns the empty draft of the document.");

static PyMethodDef document_methods[] = {
    {"start", (PyCFunction)document_start, METH_NOARGS, document_start_doc},
    {NULL, NULL, 0, NULL},
};

PyTypeObject DocumentType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "lightbulb_envs.kernel._native.Document",
    .tp_basicsize = sizeof(Document),
    .tp_dealloc = (destructor)document_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = document_doc,
    .tp_getset = document_getset,
    .tp_methods = document_methods,
};

/* The arrays of a batch, and their sizes. */
typedef struct {
    Array instance, num_sentences, tokens, words, reference, stems, reference_stems;
    Array claims, fact_weight, fact_is_key;
    int has_stems;
    Py_ssize_t documents, sentences, words_each, told, told_each, claims_each, facts;
} Batch;

/* Returns how many numbers of a padded row are no padding; the row's first so many are meant. */
static int32_t row_length(const int32_t *row, Py_ssize_t width)
{
    int32_t length = 0;
    for (Py_ssize_t place = 0; place < width; place++)
        length += row[place] != -1;
    return length;
}

static int32_t *copy_row(Arena *arena, const int32_t *row, int32_t length)
{
    int32_t *copy = arena_take(arena, length, sizeof(int32_t));
    if (copy && length)
        memcpy(copy, row, length * sizeof(int32_t));
    return copy;
}

static int read_claims(Document *document, Sentence *sentence, const int32_t *row,
                       Py_ssize_t width)
{
    int32_t kept = 0;
    sentence->claims = arena_take(&document->arena, width, sizeof(int32_t));
    if (!sentence->claims)
        return -1;
    for (Py_ssize_t place = 0; place < width; place++) {
        if (row[place] >= document->num_facts) {
            PyErr_Format(PyExc_ValueError, "a sentence claims fact %d, and there are %d", row[place],
                         document->num_facts);
            return -1;
        }
        if (row[place] >= 0)
            sentence->claims[kept++] = row[place];
    }
    sentence->num_claims = kept;
    return 0;
}

static int read_sentences(Document *document, const Batch *batch, Py_ssize_t number)
{
    const Reward *reward = document->reward;
    const int32_t *words = batch->words.view.buf, *stems = batch->stems.view.buf;
    const int32_t *claims = batch->claims.view.buf;
    document->sentences =
        arena_take(&document->arena, document->num_sentences, sizeof(Sentence));
    if (!document->sentences)
        return -1;
    for (Py_ssize_t place = 0; place < document->num_sentences; place++) {
        Sentence *sentence = &document->sentences[place];
        Py_ssize_t at = (number * batch->sentences + place) * batch->words_each;
        int32_t longest = reward->longest_n > 1 ? reward->longest_n - 1 : 0;
        sentence->length = row_length(words + at, batch->words_each);
        sentence->num_edge = (int16_t)(sentence->length < longest ? sentence->length : longest);
        if (reward->uses[0] &&
            !(sentence->words[0] = copy_row(&document->arena, words + at, sentence->length)))
            return -1;
        if (reward->uses[1] &&
            !(sentence->words[1] = copy_row(&document->arena, stems + at, sentence->length)))
            return -1;
        if (reward->uses_facts &&
            read_claims(document, sentence,
                        claims + (number * batch->sentences + place) * batch->claims_each,
                        batch->claims_each) < 0)
            return -1;
    }
    return 0;
}

static int read_references(Document *document, const Batch *batch, Py_ssize_t number)
{
    const Reward *reward = document->reward;
    int result = -1;
    Py_ssize_t told = batch->told, width = batch->told_each;
    int32_t *lengths = PyMem_Calloc(told + 1, sizeof(int32_t));
    int32_t *flat = PyMem_Malloc((told * width + 1) * sizeof(int32_t));
    if (!lengths || !flat) {
        PyErr_NoMemory();
        goto done;
    }
    const int32_t *plain = (const int32_t *)batch->reference.view.buf + number * told * width;
    for (Py_ssize_t row = 0; row < told; row++) {
        lengths[row] = row_length(plain + row * width, width);
        document->reference_length += lengths[row];
    }
    if (document->reference_length > MOST_WORDS_TOLD) {
        PyErr_Format(PyExc_ValueError,
                     "the reference of instance %lld has %lld words, and the C kernel takes %d: "
                     "shorten it, or set LIGHTBULB_KERNEL=python",
                     (long long)document->instance, (long long)document->reference_length,
                     MOST_WORDS_TOLD);
        goto done;
    }
    document->grams = arena_take(&document->arena, reward->num_ngrams, sizeof(Grams));
    document->at_left = arena_take(&document->arena, reward->num_ngrams, sizeof(size_t));
    if (!document->grams || !document->at_left)
        goto done;
    for (int reading = 0; reading < READINGS; reading++) {
        const Array *source = reading ? &batch->reference_stems : &batch->reference;
        Py_ssize_t total = 0;
        if (!reward->uses[reading])
            continue;
        for (Py_ssize_t row = 0; row < told; row++) {
            memcpy(flat + total,
                   (const int32_t *)source->view.buf + (number * told + row) * width,
                   lengths[row] * sizeof(int32_t));
            total += lengths[row];
        }
        if (build_reference(document, reading, flat, lengths, (int32_t)told) < 0)
            goto done;
    }
    result = 0;
done:
    PyMem_Free(flat);
    PyMem_Free(lengths);
    return result;
}

static int read_facts(Document *document, const Batch *batch, Py_ssize_t number)
{
    const double *weight = (const double *)batch->fact_weight.view.buf + number * batch->facts;
    const uint8_t *is_key = (const uint8_t *)batch->fact_is_key.view.buf + number * batch->facts;
    document->num_facts = (int32_t)batch->facts;
    if (!document->reward->uses_facts)
        return 0;
    document->fact_weight = arena_take(&document->arena, batch->facts, sizeof(double));
    document->fact_is_key = arena_take(&document->arena, batch->facts, 1);
    if (!document->fact_weight || !document->fact_is_key)
        return -1;
    for (Py_ssize_t fact = 0; fact < batch->facts; fact++) {
        document->fact_weight[fact] = weight[fact];
        document->fact_is_key[fact] = is_key[fact] != 0;
        if (is_key[fact])
            document->key_weight += weight[fact];
    }
    return 0;
}

static Document *read_document(Reward *reward, const Batch *batch, Py_ssize_t number)
{
    Document *document = PyObject_New(Document, &DocumentType);
    if (!document)
        return NULL;
    memset((char *)document + sizeof(PyObject), 0, sizeof(Document) - sizeof(PyObject));
    document->reward = (Reward *)Py_NewRef((PyObject *)reward);
    document->instance = ((const int64_t *)batch->instance.view.buf)[number];
    int64_t count = ((const int64_t *)batch->num_sentences.view.buf)[number];
    if (count < 0 || count > batch->sentences) {
        PyErr_Format(PyExc_ValueError, "a document has %lld sentences, and there is room for %zd",
                     (long long)count, batch->sentences);
        goto failed;
    }
    document->num_sentences = (int32_t)count;
    const Py_ssize_t *shape = batch->tokens.view.shape;
    const int32_t *tokens = (const int32_t *)batch->tokens.view.buf;
    if (read_facts(document, batch, number) < 0 || read_sentences(document, batch, number) < 0 ||
        read_references(document, batch, number) < 0 || build_start(document) < 0 ||
        lines_read(&document->tokens, &document->arena, tokens + number * shape[1] * shape[2],
                   shape[1], shape[2]) < 0)
        goto failed;
    return document;
failed:
    Py_DECREF(document);
    return NULL;
}

static int same_shape(const Array *array, const Array *other, const char *name)
{
    for (int axis = 0; axis < 3; axis++)
        if (array->view.shape[axis] != other->view.shape[axis]) {
            PyErr_Format(PyExc_ValueError, "%s must have the shape of what they are stems of", name);
            return -1;
        }
    return 0;
}

static int check_counts(const Batch *batch)
{
    const Array *counted[] = {&batch->num_sentences, &batch->tokens,      &batch->words,
                              &batch->reference,     &batch->claims,      &batch->fact_weight,
                              &batch->fact_is_key};
    for (size_t number = 0; number < sizeof(counted) / sizeof(*counted); number++)
        if (counted[number]->view.shape[0] != batch->documents) {
            PyErr_SetString(PyExc_ValueError, "the arrays are of different numbers of documents");
            return -1;
        }
    if (batch->claims.view.shape[1] != batch->sentences ||
        batch->fact_is_key.view.shape[1] != batch->facts) {
        PyErr_SetString(PyExc_ValueError,
                        "claims must be (N, S, C), fact_weight and fact_is_key (N, F)");
        return -1;
    }
    /* Sizes are counted in int32 below. */
    if (batch->told * batch->told_each > INT32_MAX / 4 || batch->words_each > INT32_MAX / 4 ||
        batch->facts > INT32_MAX / 4 || batch->tokens.view.shape[1] > INT32_MAX / 4 ||
        batch->tokens.view.shape[2] > INT32_MAX / 4) {
        PyErr_SetString(PyExc_ValueError, "the arrays are too large for the kernel");
        return -1;
    }
    return 0;
}

const char compile_documents_doc[] =
    "compile_documents(reward, instance, num_sentences, tokens, words, reference_words, stems,\n"
    "                  reference_stems, claims, fact_weight, fact_is_key)\n--\n\n"
    "Returns the documents of a batch as a list of Document; stems may be None where no part\n"
    "compares them. Arrays as in DocumentBatch, in C order.";

PyObject *compile_documents(PyObject *module, PyObject *args)
{
    Reward *reward;
    PyObject *instance, *num_sentences, *tokens, *words, *reference, *stems, *reference_stems;
    PyObject *claims, *fact_weight, *fact_is_key, *result = NULL;
    Batch batch;
    (void)module;
    memset(&batch, 0, sizeof(batch));
    if (!PyArg_ParseTuple(args, "O!OOOOOOOOOO:compile_documents", &RewardType, &reward, &instance,
                          &num_sentences, &tokens, &words, &reference, &stems, &reference_stems,
                          &claims, &fact_weight, &fact_is_key))
        return NULL;
    if (array_open(&batch.instance, instance, "instance", 'q', 1, 0) < 0 ||
        array_open(&batch.num_sentences, num_sentences, "num_sentences", 'q', 1, 0) < 0 ||
        array_open(&batch.tokens, tokens, "tokens", 'i', 3, 0) < 0 ||
        array_open(&batch.words, words, "words", 'i', 3, 0) < 0 ||
        array_open(&batch.reference, reference, "reference_words", 'i', 3, 0) < 0 ||
        array_open(&batch.claims, claims, "claims", 'i', 3, 0) < 0 ||
        array_open(&batch.fact_weight, fact_weight, "fact_weight", 'd', 2, 0) < 0 ||
        array_open(&batch.fact_is_key, fact_is_key, "fact_is_key", '?', 2, 0) < 0)
        goto done;
    if (reward->uses[1]) {
        if (array_open(&batch.stems, stems, "stems", 'i', 3, 0) < 0 ||
            array_open(&batch.reference_stems, reference_stems, "reference_stems", 'i', 3, 0) < 0 ||
            same_shape(&batch.stems, &batch.words, "stems") < 0 ||
            same_shape(&batch.reference_stems, &batch.reference, "reference_stems") < 0)
            goto done;
    }
    batch.documents = batch.instance.view.shape[0];
    batch.sentences = batch.words.view.shape[1];
    batch.words_each = batch.words.view.shape[2];
    batch.told = batch.reference.view.shape[1];
    batch.told_each = batch.reference.view.shape[2];
    batch.claims_each = batch.claims.view.shape[2];
    batch.facts = batch.fact_weight.view.shape[1];
    if (check_counts(&batch) < 0)
        goto done;
    result = PyList_New(batch.documents);
    for (Py_ssize_t number = 0; result && number < batch.documents; number++) {
        Document *document = read_document(reward, &batch, number);
        if (!document)
            Py_CLEAR(result);
        else
            PyList_SET_ITEM(result, number, (PyObject *)document);
    }
done:
    array_close(&batch.instance);
    array_close(&batch.num_sentences);
    array_close(&batch.tokens);
    array_close(&batch.words);
    array_close(&batch.reference);
    array_close(&batch.stems);
    array_close(&batch.reference_stems);
    array_close(&batch.claims);
    array_close(&batch.fact_weight);
    array_close(&batch.fact_is_key);
    return result;
}
