/*
 * cmdline_rules.h - words of a command line against the patterns of a policy. POLICY sections 2 and 3.
 *
 * Words are what white space separates, quotes or not; quotes and backslashes are dropped, because
 * the kernel drops some of them and systemd others. Before its '=' a word is the same with '-' and
 * '_', as both of them read it. '*' in a pattern stands for anything, also for nothing.
 */
#ifndef CMDLINE_RULES_H
#define CMDLINE_RULES_H
#include "policy.h"

enum { CMDLINE_WORD_TEXT = 512 };       /* a longer word is cut: it has room for more than any pattern */

/* The next word of an event's text, in which white space and others are escaped (words.h). False at the end. */
bool cmdline_word(const char **at, char out[static CMDLINE_WORD_TEXT]);

/* All of the word. */
bool pattern_allows(const char *pattern, const char *word);
/* The same, stricter: "name=" stands for any value, and "name" for itself and any value but 0, no, off, false, n. */
bool pattern_forbids(const char *pattern, const char *word);

/*
 * Most texts have no word that begins as any pattern does: a quick look that says so for sure, or that
 * the words have to be compared. By the first three characters of patterns that have as many.
 */
struct forbid_filter { bool always; uint8_t bits[1 << 10]; };
void forbid_filter_make(const struct patterns *, struct forbid_filter *);
void forbid_filter_add(struct forbid_filter *, const char *word);
bool forbid_filter_passes(const struct forbid_filter *, const char *text);      /* true: compare */

/* The first pattern that does, or NULL. */
const char *patterns_allow(const struct patterns *, const char *word);
const char *patterns_forbid(const struct patterns *, const char *word);
#endif
