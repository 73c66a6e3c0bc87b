/* A block of newsroom documents, from plans and casts to padded tokens and words.
 *
 * The specification is Python: `fill_slots` of sources/newsroom/telling.py, then `Grammar.tell`,
 * `PieceVocabulary.words` and `pad`. Here a sentence's slots are never written down: a slot is
 * worked out when a template asks for it. */
#include "kernel.h"

enum { SEGMENTS = 5, MAIN = 1, SECOND = 3, CHOICE = 1 << 20, MOST_PASSAGES = 64 };
enum { ACTOR, BODY, PLACE, THING, VOICE, NUM_MENTIONS };
/* In the order of `SLOTS` in sources/newsroom/stylebook.py. */
enum {
    ACTOR_TITLE_SLOT,
    ACTOR_FIRST_SLOT,
    ACTOR_NAME_SLOT,
    BODY_NAME_SLOT,
    BODY_SUFFIX_SLOT,
    PLACE_SLOT,
    THING_SLOT,
    EVENT_SLOT,
    DAY_SLOT,
    NUMBER_SLOT,
    VALUE_SLOT,
    VOICE_ROLE_SLOT,
    VOICE_FIRST_SLOT,
    VOICE_SURNAME_SLOT,
    SOURCE_SLOT,
    NUM_SLOTS
};
/* In the order of `_CAST` in sources/newsroom/compiled_telling.py. */
enum {
    DESK,
    ACTOR_TITLE,
    ACTOR_FIRST,
    ACTOR_SURNAME,
    ACTOR_NOUN,
    ACTOR_IS_WOMAN,
    BODY_NAME,
    BODY_NOUN,
    BODY_SUFFIX,
    PLACE_NAME,
    PLACE_NOUN,
    NEW_THING,
    DEFINITE_THING,
    NOUN,
    DAY,
    NUM_CAST
};

enum {
    TEMPLATE_ITEMS,
    TEMPLATE_STARTS,
    TEMPLATE_LENGTHS,
    PHRASE_PIECES,
    PHRASE_STARTS,
    PHRASE_LENGTHS,
    CHOICE_START,
    CHOICE_COUNT,
    MENTIONS,
    ACTOR_LEADS,
    IS_EVENT,
    PRONOUN,
    SOURCE_START,
    SOURCE_COUNT,
    FRAGMENT,
    JOINS_WORD,
    NUM_TABLES
};
static const WantedArray wanted_tables[NUM_TABLES] = {
    {"template_items", 'i', 1}, {"template_starts", 'q', 1}, {"template_lengths", 'q', 1},
    {"phrase_pieces", 'i', 1},  {"phrase_starts", 'q', 1},   {"phrase_lengths", 'q', 1},
    {"choice_start", 'q', 1},   {"choice_count", 'q', 1},    {"mentions", '?', 2},
    {"actor_leads", '?', 1},    {"is_event", '?', 1},        {"pronoun", 'q', 1},
    {"source_start", 'q', 1},   {"source_count", 'q', 1},    {"fragment", 'i', 1},
    {"joins_word", '?', 1},
};

enum {
    TEMPLATES,
    FIRST,
    SECOND_FACT,
    STORY,
    PASSAGE,
    KIND,
    OPINION_OF,
    OBJECT,
    CAST,
    VOICES,
    SOURCE_WORDS,
    STYLE_WORDS,
    CHOICE_WORDS,
    TOKENS,
    WORDS,
    NUM_ARRAYS
};
static const WantedArray wanted_arrays[NUM_ARRAYS] = {
    {"templates", 'q', 3},   {"first", 'q', 2},       {"second", 'q', 2},
    {"story", 'q', 2},       {"passage", 'q', 2},     {"kind", 'q', 2},
    {"voice", 'q', 2},       {"object_phrase", 'q', 2}, {"cast", 'q', 3},
    {"voices", 'q', 3},      {"source_words", 'I', 2}, {"style_words", 'I', 3},
    {"choice_words", 'I', 2}, {"tokens", 'i', 3},      {"words", 'i', 3},
};

typedef struct {
    Array tables[NUM_TABLES], arrays[NUM_ARRAYS];
    double pronoun_chance, role_from, body_chance, place_chance;
    int64_t num_fragments;
    Py_ssize_t documents, sentences, facts, stories, voices; /* voices of a story */
    Py_ssize_t lines, token_width, word_width;               /* of what is written */
} Block;

#define TABLE(block, type, which) ((const type *)(block)->tables[which].view.buf)
#define ARRAY(block, type, which) ((const type *)(block)->arrays[which].view.buf)
#define LENGTH_OF(block, which) ((block)->tables[which].view.shape[0])

static int not_there(const char *what, int64_t number)
{
    PyErr_Format(PyExc_ValueError, "there is no %s %lld", what, (long long)number);
    return -1;
}

static int does_not_fit(Py_ssize_t width)
{
    PyErr_Format(PyExc_ValueError, "a row does not fit a width of %zd", width);
    return -1;
}

/* Returns whether a run lies in the values that it is of; its lengths are the next table. */
static int is_run(const Block *block, int starts, int64_t number, int values)
{
    if (number < 0 || number >= LENGTH_OF(block, starts))
        return 0;
    int64_t start = TABLE(block, int64_t, starts)[number];
    int64_t length = TABLE(block, int64_t, starts + 1)[number];
    int64_t most = LENGTH_OF(block, values);
    return start >= 0 && length >= 0 && start <= most && length <= most - start;
}

/* ---- One line of tokens and words -------------------------------------------------------- */

typedef struct {
    int32_t *tokens, *words;
    int32_t num_tokens, num_words;
    int32_t before; /* the fragment of the piece before, -1 if it is no word */
    int was_joined; /* whether that piece was part of the word before it */
} Line;

static int add_piece(const Block *block, Line *line, int32_t piece)
{
    if (piece < 0 || piece >= LENGTH_OF(block, FRAGMENT))
        return not_there("piece", piece);
    int32_t fragment = TABLE(block, int32_t, FRAGMENT)[piece];
    int is_joined = fragment >= 0 && line->before >= 0 && TABLE(block, uint8_t, JOINS_WORD)[piece];
    if (block->token_width) {
        if (line->num_tokens == block->token_width)
            return does_not_fit(block->token_width);
        line->tokens[line->num_tokens++] = piece;
    }
    if (is_joined && !line->was_joined)
        line->words[line->num_words - 1] =
            (int32_t)(block->num_fragments + line->before * block->num_fragments + fragment);
    if (fragment >= 0 && !is_joined) {
        if (line->num_words == block->word_width)
            return does_not_fit(block->word_width);
        line->words[line->num_words++] = fragment;
    }
    line->was_joined = is_joined;
    line->before = fragment;
    return 0;
}

static int add_phrase(const Block *block, Line *line, int64_t phrase)
{
    if (!is_run(block, PHRASE_STARTS, phrase, PHRASE_PIECES))
        return not_there("phrase", phrase);
    const int32_t *pieces =
        TABLE(block, int32_t, PHRASE_PIECES) + TABLE(block, int64_t, PHRASE_STARTS)[phrase];
    int64_t length = TABLE(block, int64_t, PHRASE_LENGTHS)[phrase];
    for (int64_t place = 0; place < length; place++)
        if (add_piece(block, line, pieces[place]) < 0)
            return -1;
    return 0;
}

/* Mixes a sentence's draw with the number of a choice: `scramble` of grammar.py. */
static uint32_t scramble(uint32_t word, uint32_t number)
{
    uint32_t mixed = word ^ number * 0x9E3779B1u;
    mixed = (mixed ^ mixed >> 16) * 0x85EBCA6Bu;
    mixed = (mixed ^ mixed >> 13) * 0xC2B2AE35u;
    return mixed ^ mixed >> 16;
}

static int add_choice(const Block *block, Line *line, int64_t choice, uint32_t word)
{
    if (choice >= LENGTH_OF(block, CHOICE_START))
        return not_there("choice", choice);
    uint64_t count = (uint64_t)TABLE(block, int64_t, CHOICE_COUNT)[choice];
    uint64_t chosen = scramble(word, (uint32_t)choice) * count >> 32;
    uint64_t start = (uint64_t)TABLE(block, int64_t, CHOICE_START)[choice];
    return add_phrase(block, line, (int64_t)(start + chosen));
}

/* ---- What a sentence says things by ------------------------------------------------------- */

/* What the sentences of a document have told so far. */
typedef struct {
    uint8_t met[NUM_MENTIONS][MOST_PASSAGES];
    uint8_t before[NUM_MENTIONS]; /* by the last sentence */
    int64_t passage;              /* of the last sentence */
} Told;

/* Phrases by slot: of the main clause, and of the second. Elsewhere they are those of the main clause
 * but for the body, the number and the value, which nobody names there. */
typedef struct {
    int64_t main[NUM_SLOTS], second[NUM_SLOTS];
} Slots;

static int64_t cast_of(const Block *block, Py_ssize_t document, int64_t story, int row)
{
    return ARRAY(block, int64_t, CAST)[(row * block->documents + document) * block->stories + story];
}

static int64_t slot_of(const Slots *slots, int slot, int segment)
{
    if (segment == SECOND)
        return slots->second[slot];
    if (segment != MAIN && (slot == BODY_NAME_SLOT || slot == BODY_SUFFIX_SLOT ||
                            slot == NUMBER_SLOT || slot == VALUE_SLOT))
        return 0;
    return slots->main[slot];
}

static int mentions(const Block *block, int what, int64_t template)
{
    return TABLE(block, uint8_t, MENTIONS)[what * LENGTH_OF(block, TEMPLATE_STARTS) + template];
}

/* One sentence on its way; all numbers in it were checked. */
typedef struct {
    Py_ssize_t document, at; /* `at` counts the sentences of the block */
    const int64_t *templates;
    int64_t first, second, story, passage, speaker;
    int has_second, tells_event;
    uint8_t met[NUM_MENTIONS];
} Clauses;

static void name_actor(const Block *block, const Clauses *one, int may_be_pronoun, Slots *slots)
{
    double style = unit(ARRAY(block, uint32_t, STYLE_WORDS)[3 * one->at]);
    int is_new = !one->met[ACTOR];
    int pronoun = !is_new && may_be_pronoun && style < block->pronoun_chance;
    int noun = !is_new && !one->tells_event && !pronoun && style >= block->role_from;
    int again = mentions(block, ACTOR, one->templates[MAIN]) && one->has_second;
    int is_first = is_new && !again;
    int64_t title = cast_of(block, one->document, one->story, ACTOR_TITLE);
    int64_t first = cast_of(block, one->document, one->story, ACTOR_FIRST);
    int64_t surname = cast_of(block, one->document, one->story, ACTOR_SURNAME);
    int64_t role = cast_of(block, one->document, one->story, ACTOR_NOUN);
    int is_woman = cast_of(block, one->document, one->story, ACTOR_IS_WOMAN) != 0;
    int64_t she = TABLE(block, int64_t, PRONOUN)[is_woman];
    slots->main[ACTOR_TITLE_SLOT] = is_new ? title : 0;
    slots->main[ACTOR_FIRST_SLOT] = is_new ? first : 0;
    slots->main[ACTOR_NAME_SLOT] = pronoun ? she : noun ? role : surname;
    slots->second[ACTOR_TITLE_SLOT] = is_first ? title : 0;
    slots->second[ACTOR_FIRST_SLOT] = is_first ? first : 0;
    slots->second[ACTOR_NAME_SLOT] = noun || again ? role : surname;
}

static void name_body(const Block *block, const Clauses *one, Slots *slots)
{
    double style = unit(ARRAY(block, uint32_t, STYLE_WORDS)[3 * one->at + 1]);
    int by_noun = one->met[BODY] && style < block->body_chance;
    int again = by_noun || (mentions(block, BODY, one->templates[MAIN]) && one->has_second);
    int64_t name = cast_of(block, one->document, one->story, BODY_NAME);
    int64_t noun = cast_of(block, one->document, one->story, BODY_NOUN);
    int64_t suffix = cast_of(block, one->document, one->story, BODY_SUFFIX);
    slots->main[BODY_NAME_SLOT] = by_noun ? noun : name;
    slots->main[BODY_SUFFIX_SLOT] = by_noun ? 0 : suffix;
    slots->second[BODY_NAME_SLOT] = again ? noun : name;
    slots->second[BODY_SUFFIX_SLOT] = again ? 0 : suffix;
}

static void put(Slots *slots, int slot, int64_t phrase)
{
    slots->main[slot] = slots->second[slot] = phrase;
}

static int fill_slots(const Block *block, const Clauses *one, int may_be_pronoun, Slots *slots)
{
    const int64_t *objects = ARRAY(block, int64_t, OBJECT) + one->document * block->facts;
    double style = unit(ARRAY(block, uint32_t, STYLE_WORDS)[3 * one->at + 2]);
    int by_noun = one->met[PLACE] && style < block->place_chance;
    int64_t desk = cast_of(block, one->document, one->story, DESK);
    if (desk < 0 || desk >= LENGTH_OF(block, SOURCE_START))
        return not_there("desk", desk);
    uint64_t count = (uint64_t)TABLE(block, int64_t, SOURCE_COUNT)[desk];
    uint64_t source = ARRAY(block, uint32_t, SOURCE_WORDS)[one->at] * count >> 32;
    source += (uint64_t)TABLE(block, int64_t, SOURCE_START)[desk];
    put(slots, SOURCE_SLOT, (int64_t)source);
    put(slots, EVENT_SLOT, cast_of(block, one->document, one->story, NOUN));
    put(slots, DAY_SLOT, cast_of(block, one->document, one->story, DAY));
    put(slots, PLACE_SLOT,
        cast_of(block, one->document, one->story, by_noun ? PLACE_NOUN : PLACE_NAME));
    put(slots, THING_SLOT,
        cast_of(block, one->document, one->story, one->met[THING] ? DEFINITE_THING : NEW_THING));
    for (int part = 0; part < 3; part++) {
        Py_ssize_t row = (part * block->documents + one->document) * block->stories + one->story;
        put(slots, VOICE_ROLE_SLOT + part,
            ARRAY(block, int64_t, VOICES)[row * block->voices + one->speaker]);
    }
    slots->main[NUMBER_SLOT] = slots->main[VALUE_SLOT] = objects[one->first];
    slots->second[NUMBER_SLOT] = slots->second[VALUE_SLOT] = objects[one->second];
    name_actor(block, one, may_be_pronoun, slots);
    name_body(block, one, slots);
    return 0;
}

/* ---- Sentences ---------------------------------------------------------------------------- */

static int read_sentence(const Block *block, Py_ssize_t document, Py_ssize_t at, Clauses *one)
{
    int64_t first = ARRAY(block, int64_t, FIRST)[at], second = ARRAY(block, int64_t, SECOND_FACT)[at];
    one->document = document;
    one->at = at;
    one->templates = ARRAY(block, int64_t, TEMPLATES) + SEGMENTS * at;
    one->has_second = second >= 0;
    one->first = first > 0 ? first : 0;
    one->second = second > 0 ? second : 0;
    one->story = ARRAY(block, int64_t, STORY)[at];
    one->passage = ARRAY(block, int64_t, PASSAGE)[at];
    if (one->first >= block->facts || one->second >= block->facts)
        return not_there("fact", one->first >= block->facts ? one->first : one->second);
    if (one->story < 0 || one->story >= block->stories)
        return not_there("story", one->story);
    if (one->passage < 0 || one->passage >= MOST_PASSAGES)
        return not_there("passage", one->passage);
    for (int segment = 0; segment < SEGMENTS; segment++)
        if (!is_run(block, TEMPLATE_STARTS, one->templates[segment], TEMPLATE_ITEMS))
            return not_there("template", one->templates[segment]);
    Py_ssize_t fact = document * block->facts + one->first;
    int64_t voice = ARRAY(block, int64_t, OPINION_OF)[fact];
    int64_t kind = ARRAY(block, int64_t, KIND)[fact];
    one->speaker = voice > 0 ? voice : 0;
    if (one->speaker >= block->voices)
        return not_there("voice", voice);
    if (kind >= LENGTH_OF(block, IS_EVENT))
        return not_there("kind", kind);
    one->tells_event = kind >= 0 && TABLE(block, uint8_t, IS_EVENT)[kind];
    return 0;
}

static int tell_segment(const Block *block, const Clauses *one, int segment, const Slots *slots,
                        Line *line)
{
    int64_t template = one->templates[segment];
    const int32_t *items =
        TABLE(block, int32_t, TEMPLATE_ITEMS) + TABLE(block, int64_t, TEMPLATE_STARTS)[template];
    int64_t length = TABLE(block, int64_t, TEMPLATE_LENGTHS)[template];
    for (int64_t place = 0; place < length; place++) {
        int32_t item = items[place];
        int failed;
        if (item < -NUM_SLOTS)
            return not_there("slot", -1 - (int64_t)item);
        if (item < 0)
            failed = add_phrase(block, line, slot_of(slots, -1 - item, segment));
        else if (item >= CHOICE)
            failed = add_choice(block, line, item - CHOICE,
                                ARRAY(block, uint32_t, CHOICE_WORDS)[one->at]);
        else
            failed = add_phrase(block, line, item);
        if (failed < 0)
            return -1;
    }
    return 0;
}

static int tell_sentence(const Block *block, Clauses *one, Told *told, int is_opening, Line *line)
{
    uint8_t named[NUM_MENTIONS] = {0};
    Slots slots;
    for (int what = 0; what < NUM_MENTIONS; what++) {
        for (int segment = 0; segment < SEGMENTS; segment++)
            named[what] |= mentions(block, what, one->templates[segment]) != 0;
        one->met[what] = told->met[what][one->passage];
    }
    int follows = !is_opening && told->before[ACTOR] && !told->before[VOICE] &&
                  told->passage == one->passage;
    int leads = TABLE(block, uint8_t, ACTOR_LEADS)[one->templates[MAIN]];
    if (fill_slots(block, one, !one->tells_event && follows && leads, &slots) < 0)
        return -1;
    for (int segment = 0; segment < SEGMENTS; segment++)
        if (tell_segment(block, one, segment, &slots, line) < 0)
            return -1;
    for (int what = 0; what < NUM_MENTIONS; what++) {
        told->met[what][one->passage] |= named[what];
        told->before[what] = named[what];
    }
    told->passage = one->passage;
    return 0;
}

static int tell_document(const Block *block, Py_ssize_t document)
{
    Told told;
    memset(&told, 0, sizeof(told));
    for (Py_ssize_t place = 0; place < block->lines; place++) {
        Py_ssize_t row = document * block->lines + place;
        Line line = {(int32_t *)block->arrays[TOKENS].view.buf + row * block->token_width,
                     (int32_t *)block->arrays[WORDS].view.buf + row * block->word_width, 0, 0, -1, 0};
        if (place < block->sentences) {
            Clauses one;
            if (read_sentence(block, document, document * block->sentences + place, &one) < 0 ||
                tell_sentence(block, &one, &told, place == 0, &line) < 0)
                return -1;
        }
        for (Py_ssize_t at = line.num_tokens; at < block->token_width; at++)
            line.tokens[at] = 0;
        for (Py_ssize_t at = line.num_words; at < block->word_width; at++)
            line.words[at] = -1;
    }
    return 0;
}

/* ---- The arrays ---------------------------------------------------------------------------- */

static int check_shapes(Block *block)
{
    const Array *tables = block->tables, *arrays = block->arrays;
    const Py_ssize_t *shape = arrays[TEMPLATES].view.shape;
    Py_ssize_t documents = shape[0], sentences = shape[1];
    Py_ssize_t facts = arrays[KIND].view.shape[1], stories = arrays[CAST].view.shape[2];
    Py_ssize_t people = arrays[VOICES].view.shape[2];
    Py_ssize_t templates = LENGTH_OF(block, TEMPLATE_STARTS);
    int is_sound = shape[2] == SEGMENTS && stories > 0 && facts > 0 && people % stories == 0;
    for (int which = FIRST; which <= PASSAGE; which++)
        is_sound &= array_has_shape(&arrays[which], documents, sentences, 0);
    for (int which = KIND; which <= OBJECT; which++)
        is_sound &= array_has_shape(&arrays[which], documents, facts, 0);
    is_sound &= array_has_shape(&arrays[CAST], NUM_CAST, documents, stories);
    is_sound &= array_has_shape(&arrays[VOICES], 3, documents, people);
    is_sound &= array_has_shape(&arrays[SOURCE_WORDS], documents, sentences, 0);
    is_sound &= array_has_shape(&arrays[STYLE_WORDS], documents, sentences, 3);
    is_sound &= array_has_shape(&arrays[CHOICE_WORDS], documents, sentences, 0);
    block->lines = arrays[WORDS].view.shape[1];
    block->token_width = arrays[TOKENS].view.shape[2];
    block->word_width = arrays[WORDS].view.shape[2];
    is_sound &= arrays[WORDS].view.shape[0] == documents && block->lines >= sentences;
    is_sound &= array_has_shape(&arrays[TOKENS], documents, block->lines, block->token_width);
    is_sound &= array_has_shape(&tables[TEMPLATE_LENGTHS], templates, 0, 0);
    is_sound &= array_has_shape(&tables[MENTIONS], NUM_MENTIONS, templates, 0);
    is_sound &= array_has_shape(&tables[ACTOR_LEADS], templates, 0, 0);
    is_sound &= array_has_shape(&tables[PHRASE_LENGTHS], LENGTH_OF(block, PHRASE_STARTS), 0, 0);
    is_sound &= array_has_shape(&tables[CHOICE_COUNT], LENGTH_OF(block, CHOICE_START), 0, 0);
    is_sound &= array_has_shape(&tables[SOURCE_COUNT], LENGTH_OF(block, SOURCE_START), 0, 0);
    is_sound &= array_has_shape(&tables[JOINS_WORD], LENGTH_OF(block, FRAGMENT), 0, 0);
    is_sound &= LENGTH_OF(block, PRONOUN) == 2;
    if (!is_sound) {
        PyErr_SetString(PyExc_ValueError, "the arrays of a block do not fit together");
        return -1;
    }
    block->documents = documents;
    block->sentences = sentences;
    block->facts = facts;
    block->stories = stories;
    block->voices = people / stories;
    return 0;
}

const char tell_block_doc[] =
    "tell_block(tables, arrays, num_fragments, chances)\n--\n\n"
    "Writes the tokens and words of a block of documents into the last two arrays.";

PyObject *tell_block(PyObject *module, PyObject *args)
{
    PyObject *tables, *arrays, *result = NULL;
    long long num_fragments;
    Block block;
    (void)module;
    memset(&block, 0, sizeof(block));
    if (!PyArg_ParseTuple(args, "OOL(dddd):tell_block", &tables, &arrays, &num_fragments,
                          &block.pronoun_chance, &block.role_from, &block.body_chance,
                          &block.place_chance))
        return NULL;
    if (num_fragments < 0 || num_fragments > 1 << 15) {
        PyErr_SetString(PyExc_ValueError, "num_fragments must be in [0, 2**15]");
        return NULL;
    }
    block.num_fragments = num_fragments;
    int failed = arrays_open(tables, wanted_tables, block.tables, NUM_TABLES, 0) < 0 ||
                 arrays_open(arrays, wanted_arrays, block.arrays, NUM_ARRAYS, 2) < 0 ||
                 check_shapes(&block) < 0;
    for (Py_ssize_t document = 0; !failed && document < block.documents; document++)
        failed = tell_document(&block, document) < 0;
    if (!failed)
        result = Py_NewRef(Py_None);
    arrays_close(block.tables, NUM_TABLES);
    arrays_close(block.arrays, NUM_ARRAYS);
    return result;
}
