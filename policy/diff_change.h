/* diff_change.h - one change between a log or set and a known set, and what is said of it. Only diff*.c include this. */
#ifndef DIFF_CHANGE_H
#define DIFF_CHANGE_H
#include "diff.h"
#include "facts.h"

/* An event of a log or an entry of a set. */
struct item {
	const uint8_t *digest;
	const char    *text;
	bool           bound;
	uint32_t       number, type;
	uint8_t        pcr;
	enum component component;
	const struct set_entry *entry;  /* NULL: of a log */
};

struct change {
	const struct item *was, *is;    /* NULL: measured in addition; not measured */
	enum reason        reason;
	enum severity      severity;
	enum component     component;
	unsigned           order;
};

/* What a change is seen against. */
struct backdrop {
	enum bank                bank;
	const struct reference_set *was, *set;  /* the known side; the other one, if it is a set too */
	const struct boot_facts *facts;         /* of the log; NULL if it is a set */
	uint8_t                  failed[DIGEST_MAX];  /* the digest of an error separator */
	bool                     secure_boot;   /* is on, by bound facts */
	bool                     same_keys;     /* and no key or state of it changed but for the better */
	bool                     newer;         /* the kernel's bound name has a higher version than the known one's */
	char                     old_version[FACT_NAME], new_version[FACT_NAME];  /* "" if not known */
};

/* What the change is called; by its known side, which was approved. */
enum reason change_reason(const struct change *);
/* Fills all but same_keys, which the classes of Secure Boot's own changes decide. */
void backdrop_open(struct backdrop *);
/* Only what digests bind may calm; anything may alarm. */
enum severity change_severity(const struct backdrop *, const struct change *);
/* Adds the finding, with its sentence and its lines of detail. */
void change_report(const struct backdrop *, const struct change *, struct findings *);

/*
 * diff_keys.c: variables of keys. Which entries came and went; false if either side's are not known,
 * or are not bound.
 */
struct key_changes { unsigned was, is, added, removed; };
bool keys_compare(const struct backdrop *, const struct change *, struct key_changes *);
bool is_key_variable(const struct item *);
/* "dbx: 371 -> 423 entries, 52 added, none removed"; and which they are, line by line. */
void keys_sentence(const struct backdrop *, const struct change *, char *out, size_t size);
void keys_details(const struct backdrop *, const struct change *, struct findings *, const struct finding *);
#endif
