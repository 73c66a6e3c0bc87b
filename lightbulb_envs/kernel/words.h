/* Drafts that are written word by word, and which facts they state. */
#ifndef LIGHTBULB_WORDS_H
#define LIGHTBULB_WORDS_H

#include "kernel.h"

/* ---- Facts stated word by word ------------------------------------------------------------ */

/* What a step looks at of a node lies together. */
typedef struct {
    int32_t edge_start, edge_end, fallback, ending;
} Node;

typedef struct {
    int32_t symbol, target;
} Edge;

/* `Matcher` of rewards/stated_facts.py. Edges of a node are sorted by symbol. */
typedef struct {
    PyObject_HEAD
    int32_t num_nodes, num_symbols;
    Node *nodes;
    Edge *edges;
    int32_t *depth, *meaning_start;
    int64_t *kinds, *values;
    int32_t *from_root; /* (num_symbols,) the node after the root */
} Matcher;

/* `Said` of sources/signatures.py, and the uids of a word in the reference. What a step looks at of
 * a word lies together; values, which few words have, elsewhere. */
typedef struct {
    Uid uids[READINGS];
    uint16_t symbol;
    uint8_t digits;
    int8_t is_legal;
} Word;

#define MOST_SYMBOLS 65000

typedef struct {
    int64_t kind, value;
    int32_t fact;
} Proposition;

/* `Read` of rewards/stated_facts.py. Claims are in the state of the draft; those before the last
 * one are kept here, for the last one may yet be replaced. */
typedef struct {
    double covered_before, claimed_before;
    int64_t number, name;
    int32_t node, is_open, since_start, since_end;
    int32_t fresh; /* the key fact that the last claim covered first, or -1 */
} Reader;

/* Reads one more word of a draft, whose facts must be looked at. */
void read_word(const Matcher *matcher, const Document *document, char *state, Reader *reader,
               const Proposition *propositions, int32_t count, const Word *word, int64_t value);

/* ---- Drafts of words ---------------------------------------------------------------------- */

/* A document whose words are actions. The memory of a draft is the document's state, then a
 * `Reader`, then a `Line`. */
typedef struct {
    PyObject_HEAD
    Document *document;
    Matcher *matcher; /* NULL where no part looks at facts */
    int32_t num_words, num_pieces, num_propositions;
    Word *words;
    int64_t *values;         /* of numbers and names */
    int32_t *told[READINGS]; /* the reference as `find_subsequence` reads it, for ROUGE-Lsum */
    int8_t *mask;            /* (num_words + 1,) */
    int32_t *pieces;         /* (num_words, num_pieces) */
    Lines article;           /* the text in actions, counted from 1 */
    int32_t first_end, last_start; /* of words that have pieces; between them none has */
    Proposition *propositions;
    Arena arena;
} WordDocument;

/* What was written, as actions. */
typedef struct {
    int32_t length;
    int32_t words[];
} Line;

/* Where a draft lies in its memory. */
typedef struct {
    char *state;
    Reader *reader;
    Line *line;
} Place;

static inline Place place_in(const WordDocument *document, char *memory)
{
    char *reader = memory + document->document->state_size;
    return (Place){memory, (Reader *)reader, (Line *)(reader + sizeof(Reader))};
}

static inline size_t line_size(const WordDocument *document, int64_t words)
{
    return document->document->state_size + sizeof(Reader) + sizeof(Line) +
           (size_t)words * sizeof(int32_t);
}

/* Writes the pieces of a document's words as they are observed, where those of another one stand
 * before, or anything (NULL). */
void words_write_pieces(const WordDocument *document, const WordDocument *before, int32_t *out);
void words_start(const WordDocument *document, char *memory);
/* Returns the bytes that adding a word to a line of so many words needs to work in; often 0. */
size_t words_scratch(const WordDocument *document, int64_t words);
/* Adds a word; there must be room for it in the line. */
void words_extend(const WordDocument *document, const Place *draft, int32_t word, void *scratch);

#endif
