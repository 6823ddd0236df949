/*
 * facts.h - what a log says the machine did: Secure Boot and its keys, images, command lines, drivers.
 *
 * A log's types, names and order between PCRs are not signed (FACTS "What the log does not protect").
 * So each fact says what it rests on. BOUND: the digest that the replay used is that of the very
 * bytes which were read here, and its PCR was quoted; this is worked out anew, whatever the parser
 * said. CLAIMED: the log says so, and the quote does not contradict it. ABSENT: nothing said it.
 * Rules may permit on bound facts alone; claimed ones may only lower trust.
 *
 * The log must have replayed. Reads no more than the bounds below; what is beyond them is counted.
 */
#ifndef FACTS_H
#define FACTS_H
#include "eventlog.h"

enum {
	FACT_TEXT        = 256,         /* a name or a short text, with NUL; cut when longer, and then not bound */
	FACT_NAME        = 96,          /* a certificate's common name, with NUL */
	FACT_HASHES_MAX  = 4096,        /* of all key stores together */
	FACT_CERTS_MAX   = 64,          /* of all key stores together */
	FACT_AUTHORITIES_MAX = 32,
	FACT_IMAGES_MAX  = 64,          /* of PCR 4; and as many drivers of PCR 0 and 2 */
	FACT_FILES_MAX   = 32,          /* initrds */
	FACT_CMDLINES_MAX = 16,
};

#define FACT_BINDINGS(X) X(ABSENT, "absent") X(CLAIMED, "host-claimed") X(BOUND, "digest-bound")
enum fact_binding {
#define X(name, word) FACT_##name,
	FACT_BINDINGS(X)
#undef X
	FACT_BINDING_COUNT
};
const char *fact_binding_word(enum fact_binding);

/* Where a fact stands. digest is the one of the judged bank. */
struct fact {
	enum fact_binding binding;
	uint8_t  pcr;
	uint32_t event;
	uint8_t  digest[DIGEST_MAX];
};
struct fact_flag { struct fact at; bool set; };
struct fact_text { struct fact at; char text[FACT_TEXT]; };

/* X(NAME, variable) */
#define KEY_STORES(X) X(PK, "PK") X(KEK, "KEK") X(DB, "db") X(DBX, "dbx") X(DBT, "dbt") X(DBR, "dbr")
enum key_store_name {
#define X(name, variable) STORE_##name,
	KEY_STORES(X)
#undef X
	STORE_COUNT
};
const char *key_store_word(enum key_store_name);

/*
 * What one of these variables held when the firmware measured it. Its hashes are
 * facts->hash[first_hash ...], ascending; its certificates facts->cert[first_cert ...].
 */
struct key_store {
	struct fact at;
	bool        whole;              /* all of it could be read, and all of it is kept here */
	unsigned    count;              /* entries, those of other kinds included */
	unsigned    first_hash, hashes; /* SHA-256 of images */
	unsigned    first_cert, certs;  /* X.509 */
};
struct fact_cert {
	uint8_t sha256[SHA256_SIZE];    /* of the certificate, DER */
	char    name[FACT_NAME];        /* subject: its common name, else organisation; "" if it has none; for people */
};

/*
 * Who let something run: EV_EFI_VARIABLE_AUTHORITY. A variable and the certificate in it that
 * verified an image, once for each certificate in a boot, so never which image.
 */
struct authority {
	struct fact at;
	bool        early;              /* before the separator: option ROMs and drivers; after it boot loaders */
	bool        known;              /* the certificate is in the measured db, or shim brought it */
	char        variable[16];       /* "db", "Shim", "vendor_db", "MokList", "MokListRT" */
	bool        is_cert;
	struct fact_cert cert;          /* if is_cert */
};

/* Secure Boot by the published rules. Not ON: some rule said no, or could not be answered; why says which. */
#define SECURE_BOOT_STATES(X) X(UNKNOWN, "unknown") X(OFF, "off") X(ON, "on")
enum secure_boot_state {
#define X(name, word) SECURE_BOOT_##name,
	SECURE_BOOT_STATES(X)
#undef X
	SECURE_BOOT_STATE_COUNT
};
const char *secure_boot_word(enum secure_boot_state);

struct secure_boot {
	enum secure_boot_state state;   /* ON only with every rule met on bound facts */
	enum fact_binding      binding; /* of state */
	const char            *why;     /* static words: the rule that decided; "" when ON */
	bool                   shim_off;  /* MokSBState: shim verifies nothing, whatever the firmware does */
	struct fact_flag       variable;  /* SecureBoot */
	struct key_store       store[STORE_COUNT];
	struct fact_flag       setup_mode, audit_mode, deployed_mode;  /* where the firmware measures them */
	struct fact            debug_mode;      /* "UEFI Debug Mode" */
	struct fact            dma_off;         /* "DMA Protection Disabled", or lowered: a warning, no rule */
	struct fact_flag       mok_sb_state;    /* shim's; set: off */
	struct fact_text       sbat;            /* "sbat,1,2025021800\nshim,4\ngrub,5\n", escaped */
	unsigned               nauthorities, more_authorities;
	struct authority       authority[FACT_AUTHORITIES_MAX];
};

/* What shim put into PCR 14: the log has names alone, so a change shows and the content does not. */
struct mok { struct fact list, list_x, trusted; };

/*
 * Something that was measured as a whole: an image (the digest is Authenticode's) or a file (its
 * content's). Its name is another fact: a device path is only claimed, GRUB's commands are bound.
 */
struct boot_file {
	struct fact       at;           /* of the digest: BOUND if the PCR was quoted */
	enum fact_binding named;
	uint32_t          type;         /* of the event; claimed */
	char              name[FACT_TEXT];  /* "\EFI\debian\shimx64.efi", "/boot/vmlinuz-6.1.0-28-amd64"; "" if it has none */
};

/* X(NAME, word): where a command line was found. */
#define CMDLINE_SOURCES(X) \
	X(GRUB_KERNEL,  "grub-kernel_cmdline")  /* PCR 8: GRUB measures what the kernel gets */ \
	X(GRUB_COMMAND, "grub-linux-command")   /* PCR 8: the command that loads a kernel */ \
	X(LOAD_OPTIONS, "load-options")         /* PCR 12 or 9: systemd-boot, the EFI stub */ \
	X(UKI_SECTION,  "uki-cmdline-section")  /* PCR 11: a digest alone */
enum cmdline_source {
#define X(name, word) CMDLINE_##name,
	CMDLINE_SOURCES(X)
#undef X
	CMDLINE_SOURCE_COUNT
};
const char *cmdline_source_word(enum cmdline_source);
struct boot_cmdline {
	struct fact         at;
	enum cmdline_source source;
	const char         *text;       /* in the log's words, escaped; "" where only a digest is known */
};

#define BOOT_KINDS(X) \
	X(UNKNOWN,      "unknown") \
	X(GRUB,         "grub") \
	X(SYSTEMD_BOOT, "systemd-boot") \
	X(UKI,          "uki") \
	X(DIRECT,       "direct")       /* the firmware started the kernel */
enum boot_kind {
#define X(name, word) BOOT_##name,
	BOOT_KINDS(X)
#undef X
	BOOT_KIND_COUNT
};
const char *boot_kind_word(enum boot_kind);

struct boot_facts {
	enum bank        bank;
	uint32_t         pcrs;          /* that a digest of this bank binds */
	struct secure_boot secure_boot;
	struct mok       mok;
	uint32_t         separated;     /* bit = PCR of 0 to 7 with exactly one good separator */
	uint32_t         error_separator;  /* bit = PCR with one that says that the firmware failed */
	enum boot_kind   kind;          /* by what was measured where; a claim */
	unsigned         nimages, more_images;
	struct boot_file image[FACT_IMAGES_MAX];  /* PCR 4 without actions and separators, in order: boot loaders, then the kernel */
	unsigned         ndrivers, more_drivers;
	struct boot_file driver[FACT_IMAGES_MAX]; /* all of PCR 2 but separators, and drivers of PCR 0: option ROMs and their kind */
	struct boot_file kernel;        /* by its Authenticode digest where there is one, else the file's */
	char             kernel_version[FACT_NAME];  /* of its name: "6.1.0-28-amd64"; "" if it says none */
	unsigned         ninitrds, more_initrds;
	struct boot_file initrd[FACT_FILES_MAX];
	unsigned         ncmdlines, more_cmdlines;
	struct boot_cmdline cmdline[FACT_CMDLINES_MAX];
	struct fact_text boot_order;    /* "0001,0000"; PCR 1, which is not quoted by default */
	unsigned         ncerts;        /* pools of the key stores; beyond the counts nothing is set */
	struct fact_cert cert[FACT_CERTS_MAX];
	unsigned         nhashes;
	uint8_t          hash[FACT_HASHES_MAX][SHA256_SIZE];
};

/*
 * Of a log that replayed to a quote over these PCRs of this bank. Large: keep it on the heap.
 * Texts point into the log.
 */
void boot_facts_read(const struct eventlog *, enum bank, uint32_t pcrs, struct boot_facts *);

/* Is this image hash, or this certificate, in the store as it was measured? Ask at.binding first. */
bool key_store_has_hash(const struct boot_facts *, enum key_store_name, const uint8_t sha256[static SHA256_SIZE]);
bool key_store_has_cert(const struct boot_facts *, enum key_store_name, const uint8_t sha256[static SHA256_SIZE]);

/*
 * "shim,4" in what was measured of SbatLevel: the generation of that component, 0 if it has none.
 * The date is that of the first line: "sbat,1,2025021800".
 */
unsigned sbat_generation(const struct fact_text *, const char *component);
#endif
