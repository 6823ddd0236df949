#include "grubenv.h"
#include "made_log.h"
#include "match.h"

static const char bootx64[] = "BOOTX64", grub[] = "GRUB", kernel[] = "KERNEL";

static void
image(struct made_log *l, const char *what)
{
	made_measure(l, 4, EV_EFI_BOOT_SERVICES_APPLICATION, what, strlen(what), "", 0);
}

/* A small boot by shim and GRUB; what is NULL or 0 is left out. */
struct boot { const char *firmware, *loader, *kernel, *cmdline, *extra2; bool kernel_twice; };

static void
boot_log(const struct boot *b, struct eventlog *log)
{
	own(made_log) struct made_log l = { 0 };

	made_open(&l, 1u << BANK_SHA256);
	made_text(&l, 0, 8, b->firmware);
	if (b->extra2)
		made_text(&l, 2, 5, b->extra2);
	made_text(&l, 7, 5, "db");
	made_text(&l, 4, 0x80000007u, "Calling EFI Application from Boot Option");
	if (b->loader)
		image(&l, b->loader);
	image(&l, b->kernel);
	if (b->kernel_twice)
		image(&l, b->kernel);
	made_grub(&l, "kernel_cmdline: ", b->cmdline);
	made_measure(&l, 9, EV_IPL, b->kernel, strlen(b->kernel), "/vmlinuz", 9);
	made_parse(&l, log);
}

enum { PCRS = 1u << 0 | 1u << 2 | 1u << 4 | 1u << 7 | 1u << 8 | 1u << 9 };

static void
capture(const struct boot *b, struct known_set *known)
{
	struct error e = { .code = ERR_NONE };
	own(eventlog) struct eventlog log = { 0 };

	boot_log(b, &log);
	*known = (struct known_set){ .active = true, .own_host = true, .label = "set" };
	ck_assert_msg(set_capture(&log, BANK_SHA256, PCRS, &known->set, &e), "%s", e.why);
}

static const struct boot plain = { "fw1", bootx64, kernel, "root=a quiet", NULL, true };

START_TEST(components_have_words)
{
	ck_assert_str_eq(component_word(COMPONENT_FIRMWARE), "firmware");
	ck_assert_str_eq(component_word(COMPONENT_COUNT), "unknown");
	ck_assert(component_pcrs(COMPONENT_BOOT_ENTRY) & 1u << 13);
	ck_assert(!(component_pcrs(COMPONENT_BOOT_ENTRY) & 1u << 0));
}
END_TEST

/* PCR 4 is the loader's up to the last image, and the boot entry's from its first appearance on. */
static const struct { const char *label; struct boot boot; unsigned loader, entry; } splits[] = {
	{ "loader and kernel",        { "fw", bootx64, kernel, "x", NULL, false }, 2, 1 },
	{ "kernel measured twice",    { "fw", bootx64, kernel, "x", NULL, true }, 2, 2 },
	{ "one image, no loader",     { "fw", NULL, kernel, "x", NULL, false }, 1, 1 },
	{ "the loader is the kernel", { "fw", kernel, kernel, "x", NULL, false }, 1, 2 },
};

START_TEST(pcr_4_is_split)
{
	struct known_set known;
	unsigned loader = 0, entry = 0;

	capture(&splits[_i].boot, &known);
	for (unsigned i = 0; i < known.set.count; i++) {
		const struct set_entry *s = &known.set.entry[i];

		if (s->pcr == 4) {
			loader += s->component == COMPONENT_LOADER;
			entry += s->component == COMPONENT_BOOT_ENTRY;
		}
		ck_assert_int_eq(s->scope, s->pcr == 8 || s->pcr == 9 ? SCOPE_HOST : SCOPE_FLEET);
	}
	ck_assert_msg(loader == splits[_i].loader && entry == splits[_i].entry, "%s: %u and %u",
	    splits[_i].label, loader, entry);
	set_free(&known.set);
}
END_TEST

/* NEGATIVE row 6 */
START_TEST(test_row_6_nothing_to_capture)
{
	struct error e = { .code = ERR_NONE };
	own(eventlog) struct eventlog log = { 0 }, empty = { 0 };
	own(set) struct reference_set set = { 0 };

	boot_log(&plain, &log);
	ck_assert(!set_capture(&empty, BANK_SHA256, PCRS, &set, &e) && e.code == ERR_MISSING);
	ck_assert(!set_capture(&log, BANK_SHA256, 0, &set, &e) && e.code == ERR_FORMAT);
	ck_assert(!set_capture(&log, BANK_SHA256, 1u << 24, &set, &e) && e.code == ERR_FORMAT);
	ck_assert(!set_capture(&log, BANK_SHA256, 1u << 14, &set, &e) && e.code == ERR_MISSING);
	ck_assert(!set_capture(&log, BANK_SHA384, PCRS, &set, &e) && e.code == ERR_MISSING);
	ck_assert_ptr_null(set.entry);
}
END_TEST

START_TEST(set_is_limited)
{
	struct error e = { .code = ERR_NONE };
	own(made_log) struct made_log l = { 0 };
	own(eventlog) struct eventlog log = { 0 };
	own(set) struct reference_set set = { 0 };

	made_open(&l, 1u << BANK_SHA256);
	for (unsigned i = 0; i <= SET_ENTRIES_MAX; i++)
		made_text(&l, 8, EV_IPL, "x");
	made_parse(&l, &log);
	ck_assert(!set_capture(&log, BANK_SHA256, 1u << 8, &set, &e) && e.code == ERR_LIMIT);
}
END_TEST

START_TEST(packed_form_comes_back)
{
	struct error e = { .code = ERR_NONE };
	own(eventlog) struct eventlog log = { 0 };
	own(set) struct reference_set set = { 0 }, back = { 0 };
	own(mem) uint8_t *one = NULL, *two = NULL;
	struct writer w;
	struct reader r;
	size_t size;

	vm_log("sb-shimgrub-a", &log);
	ck_assert(set_capture(&log, BANK_SHA256, 1u << 0 | 1u << 4 | 1u << 7 | 1u << 8 | 1u << 14, &set, &e));
	size = set_packed_size(&set);
	one = malloc(size);
	two = malloc(size);
	w = wr_open(one, size);
	set_pack(&set, &w);
	ck_assert(wr_ok(&w, &e) && w.used == size);
	r = rd_open(one, size);
	ck_assert_msg(set_unpack(&r, &back, &e) && rd_end(&r, &e), "%s", e.why);
	w = wr_open(two, size);
	set_pack(&back, &w);
	ck_assert(wr_ok(&w, &e) && w.used == size);
	ck_assert_mem_eq(one, two, size);
	for (size_t cut = 0; cut < size; cut++) {
		own(mem) uint8_t *copy = malloc(cut + !cut);
		own(set) struct reference_set none = { 0 };

		memcpy(copy, one, cut);
		r = rd_open(copy, cut);
		ck_assert(!set_unpack(&r, &none, &e) && !none.entry);
	}
}
END_TEST

/* version, bank, pcrs, parts, flags, count, then the first entry: component, scope, pcr */
static const struct { const char *label; size_t at; uint8_t value; const char *why; } lies[] = {
	{ "version",            0, 1,    "version 1" },
	{ "bank",               1, 9,    "bank 9" },
	{ "PCR 24",             2, 1,    "pcrs 0x" },
	{ "no entries",        11, 0,    "0 entries" },
	{ "many entries",       8, 0xff, "entries in" },
	{ "parts",              6, 0x10, "parts 0x10" },
	{ "a part less",        6, 0xe,  "the set has no firmware" },
	{ "flags",              7, 4,    "flags 4" },
	{ "values",             7, 2,    "a set of values has one" },
	{ "all of one host",    7, 1,    "not one of this component and scope" },
	{ "component",         12, 9,    "component 9" },
	{ "another component", 12, COMPONENT_SECUREBOOT, "not one of this component" },
	{ "scope",             13, SCOPE_HOST, "not one of this component and scope" },
	{ "PCR outside",       14, 1,    "not one of this component" },
};

START_TEST(packed_lies_are_refused)
{
	struct error e = { .code = ERR_NONE };
	struct known_set known;
	own(set) struct reference_set back = { 0 };
	uint8_t buf[4096];
	struct writer w = wr_open(buf, sizeof(buf));
	struct reader r;

	capture(&plain, &known);
	set_pack(&known.set, &w);
	ck_assert(wr_ok(&w, &e));
	buf[lies[_i].at] = lies[_i].value;
	r = rd_open(buf, w.used);
	ck_assert_msg(!set_unpack(&r, &back, &e) && strstr(e.why, lies[_i].why), "%s: %s", lies[_i].label, e.why);
	set_free(&known.set);
}
END_TEST

/* --- matching --- */

static bool
use_all(const struct known_set *s, const void *arg)
{
	(void)arg;
	return s->active;
}

static struct match
match_boot(const struct boot *b, uint32_t pcrs, const struct known_set *sets, unsigned n)
{
	struct error e = { .code = ERR_NONE };
	own(eventlog) struct eventlog log = { 0 };
	own(measured) struct measured m = { 0 };
	struct match match;

	boot_log(b, &log);
	ck_assert(measured_open(&log, BANK_SHA256, pcrs, &m, &e));
	match_log(&m, sets, n, use_all, NULL, &match);
	return match;
}

#define FW (1u << COMPONENT_FIRMWARE)
#define LD (1u << COMPONENT_LOADER)
#define BE (1u << COMPONENT_BOOT_ENTRY)
static const struct { const char *label; struct boot boot; unsigned unknown; } boots[] = {
	{ "the same",            { "fw1", bootx64, kernel, "root=a quiet", NULL, true }, 0 },
	{ "another firmware",    { "fw9", bootx64, kernel, "root=a quiet", NULL, true }, FW },
	{ "an option ROM more",  { "fw1", bootx64, kernel, "root=a quiet", "rom", true }, FW },
	{ "another loader",      { "fw1", grub, kernel, "root=a quiet", NULL, true }, LD },
	{ "no loader",           { "fw1", NULL, kernel, "root=a quiet", NULL, true }, LD },
	{ "another kernel",      { "fw1", bootx64, "K2", "root=a quiet", NULL, true }, BE },
	{ "kernel measured once", { "fw1", bootx64, kernel, "root=a quiet", NULL, false }, BE },
	{ "another command line", { "fw1", bootx64, kernel, "root=a init=/x", NULL, true }, BE },
};

START_TEST(one_set_matches_its_own_boot)
{
	struct known_set known;
	struct match m;

	capture(&plain, &known);
	m = match_boot(&boots[_i].boot, PCRS, &known, 1);
	ck_assert_msg(m.unknown == boots[_i].unknown && m.all == !boots[_i].unknown, "%s: 0x%x", boots[_i].label, m.unknown);
	set_free(&known.set);
}
END_TEST

/* Sets unite by component: old firmware with a new kernel, but no kernel with another's command line. */
START_TEST(sets_unite_by_component)
{
	static const struct boot newer = { "fw2", bootx64, "K2", "root=a splash", NULL, true };
	static const struct boot mixed = { "fw1", bootx64, "K2", "root=a splash", NULL, true };
	static const struct boot torn = { "fw1", bootx64, "K2", "root=a quiet", NULL, true };
	struct known_set sets[2];
	struct match m;

	capture(&plain, &sets[0]);
	capture(&newer, &sets[1]);
	m = match_boot(&mixed, PCRS, sets, 2);
	ck_assert(m.all && m.set[COMPONENT_FIRMWARE] == 0 && m.set[COMPONENT_BOOT_ENTRY] == 1);
	m = match_boot(&torn, PCRS, sets, 2);
	ck_assert(!m.all && m.unknown == BE);
	sets[1].active = false;
	m = match_boot(&mixed, PCRS, sets, 2);
	ck_assert(!m.all);
	set_free(&sets[0].set);
	set_free(&sets[1].set);
}
END_TEST

static const struct boot second = { "fw1", bootx64, kernel, "root=b quiet", NULL, true };

/*
 * What another host measured into PCR 8 and 9 counts as a whole, for a machine that measures the very
 * same; it may not be left out, and what was approved for one host alone is that host's.
 */
START_TEST(host_entries_serve_the_same_boot)
{
	struct known_set known;
	struct match m;

	capture(&plain, &known);
	known.own_host = false;
	m = match_boot(&plain, PCRS, &known, 1);
	ck_assert(m.all && m.host_part == 0);
	m = match_boot(&second, PCRS, &known, 1);
	ck_assert(!m.all && m.unknown == BE);
	known.set.host_only = true;
	m = match_boot(&plain, PCRS, &known, 1);
	ck_assert(!m.all);
	known.set.host_only = false;
	m = match_boot(&plain, 1u << 0 | 1u << 4 | 1u << 7, &known, 1);
	ck_assert(m.all);
	set_free(&known.set);
}
END_TEST

/* NEGATIVE row 6, and a set that was captured over fewer PCRs than are judged now. */
START_TEST(test_row_6_nothing_matches_nothing)
{
	struct known_set known;
	struct match m;

	capture(&plain, &known);
	ck_assert(!match_boot(&plain, PCRS, NULL, 0).all);
	ck_assert(!match_boot(&plain, 0, &known, 1).all);
	known.set.pcrs &= ~(1u << 7);
	m = match_boot(&plain, PCRS, &known, 1);
	ck_assert(!m.all && m.unknown == 1u << COMPONENT_SECUREBOOT);
	known.set.bank = BANK_SHA384;
	ck_assert(!match_boot(&plain, PCRS, &known, 1).all);
	known.set.bank = BANK_SHA256;
	known.active = false;
	ck_assert(!match_boot(&plain, PCRS, &known, 1).all);
	set_free(&known.set);
}
END_TEST

/* Each required event dropped in turn, and each one doubled: never a match. */
START_TEST(every_event_is_required_once)
{
	own(eventlog) struct eventlog log = { 0 };
	struct known_set known;
	unsigned refused = 0;

	capture(&plain, &known);
	boot_log(&plain, &log);
	for (unsigned i = 1; i < log.count; i++)
		for (unsigned twice = 0; twice < 2; twice++) {
			struct error e = { .code = ERR_NONE };
			struct eventlog other = log;
			own(measured) struct measured m = { 0 };
			own(mem) struct event *events = calloc(log.count + 1, sizeof(*events));
			struct match match;

			other.event = events;
			memcpy(events, log.event, i * sizeof(*events));
			memcpy(events + i + twice, log.event + i + !twice, (log.count - i - !twice) * sizeof(*events));
			if (twice)
				events[i] = log.event[i];
			other.count = log.count + (twice ? 1 : -1u);
			ck_assert(measured_open(&other, BANK_SHA256, PCRS, &m, &e));
			match_log(&m, &known, 1, use_all, NULL, &match);
			ck_assert_msg(!match.all, "event %u %s", i, twice ? "twice" : "left out");
			refused++;
		}
	ck_assert_uint_gt(refused, 10);
	set_free(&known.set);
}
END_TEST

/* --- a fleet of one image: one machine captured, the others by their own part --- */


static void
capture_some(const struct boot *b, struct set_want want, bool own, struct known_set *known)
{
	struct error e = { .code = ERR_NONE };
	own(eventlog) struct eventlog log = { 0 };

	boot_log(b, &log);
	*known = (struct known_set){ .active = true, .own_host = own, .label = "part" };
	ck_assert_msg(set_capture_some(&log, BANK_SHA256, PCRS, &want, &known->set, &e), "%s", e.why);
}

static void
free_sets(struct known_set *sets, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		set_free(&sets[i].set);
}

static const struct set_want own_part = { .host_part = true };

/* NEGATIVE row 28: what the second machine may boot with its own part and the first one's set, and what not. */
static const struct { const char *label; struct boot boot; unsigned unknown; } seconds[] = {
	{ "itself",                  { "fw1", bootx64, kernel, "root=b quiet", NULL, true }, 0 },
	{ "the first one's boot",    { "fw1", bootx64, kernel, "root=a quiet", NULL, true }, 0 },
	{ "the first one's words, another kernel", { "fw1", bootx64, "K2", "root=a quiet", NULL, true }, BE },
	{ "other words",             { "fw1", bootx64, kernel, "root=b init=/x", NULL, true }, BE },
	{ "another kernel",          { "fw1", bootx64, "K2", "root=b quiet", NULL, true }, BE },
	{ "the kernel once",         { "fw1", bootx64, kernel, "root=b quiet", NULL, false }, BE },
	{ "no loader",               { "fw1", NULL, kernel, "root=b quiet", NULL, true }, LD },
	{ "another firmware",        { "fw2", bootx64, kernel, "root=b quiet", NULL, true }, FW },
};

START_TEST(test_row_28_second_host)
{
	struct known_set sets[2];
	struct match m;

	capture(&plain, &sets[0]);
	sets[0].own_host = false;
	capture_some(&second, own_part, true, &sets[1]);
	ck_assert(!set_serves_group(&sets[1].set) && set_has_host_part(&sets[1].set));
	for (unsigned i = 0; i < sets[1].set.count; i++)
		ck_assert_int_eq(sets[1].set.entry[i].scope, sets[1].set.entry[i].pcr == 4 ? SCOPE_NAMED : SCOPE_HOST);
	m = match_boot(&seconds[_i].boot, PCRS, sets, 2);
	ck_assert_msg(m.unknown == seconds[_i].unknown && m.all == !m.unknown, "%s: 0x%x", seconds[_i].label, m.unknown);
	if (m.all)
		ck_assert(m.set[COMPONENT_BOOT_ENTRY] == 0 && m.host_part == (_i == 0));
	free_sets(sets, 2);
}
END_TEST

/* The part names its kernel and does not grant it: it ends with the set that does. And it serves nobody else. */
START_TEST(own_part_grants_nothing)
{
	struct known_set sets[2];
	struct match m;

	capture(&plain, &sets[0]);
	sets[0].own_host = false;
	m = match_boot(&second, PCRS, sets, 1);
	ck_assert(m.unknown == BE && m.kernel == 0 && m.host_part == NO_SET);
	capture_some(&second, own_part, true, &sets[1]);
	sets[0].active = false;
	m = match_boot(&second, PCRS, sets, 2);
	ck_assert(m.unknown == (FW | LD | BE | 1u << COMPONENT_SECUREBOOT) && m.kernel == NO_SET);
	sets[0].active = true;
	sets[1].own_host = false;
	m = match_boot(&second, PCRS, sets, 2);
	ck_assert_uint_eq(m.unknown, BE);
	free_sets(sets, 2);
}
END_TEST

/* NEGATIVE row 28: each kernel with the words of the other, where both kernels are granted and both parts are this host's. */
START_TEST(test_row_28_parts_do_not_mix)
{
	static const struct boot newer = { "fw1", bootx64, "K2", "root=b splash", NULL, true };
	static const struct boot torn[] = { { "fw1", bootx64, "K2", "root=b quiet", NULL, true },
		{ "fw1", bootx64, kernel, "root=b splash", NULL, true } };
	struct known_set sets[4];
	struct match m;

	capture(&plain, &sets[0]);
	capture(&newer, &sets[1]);
	sets[0].own_host = sets[1].own_host = false;
	capture_some(&second, own_part, true, &sets[2]);
	capture_some(&newer, own_part, true, &sets[3]);
	ck_assert(match_boot(&second, PCRS, sets, 4).all && match_boot(&newer, PCRS, sets, 4).all);
	for (unsigned i = 0; i < COUNT(torn); i++) {
		m = match_boot(&torn[i], PCRS, sets, 4);
		ck_assert(m.unknown == BE && m.kernel != NO_SET);
	}
	free_sets(sets, 4);
}
END_TEST

/* What is granted to one host alone helps no other; a fleet's set without PCR 8 and 9 grants kernels, not command lines. */
START_TEST(scopes_of_whole_sets)
{
	struct known_set sets[2];

	capture_some(&plain, (struct set_want){ 0xf, true, true }, true, &sets[0]);
	ck_assert(match_boot(&plain, PCRS, sets, 1).all);
	sets[0].own_host = false;
	ck_assert_uint_eq(match_boot(&plain, PCRS, sets, 1).unknown, 0xf);
	set_free(&sets[0].set);
	capture_some(&plain, (struct set_want){ 0xf, false, false }, false, &sets[0]);
	ck_assert(!(sets[0].set.pcrs & host_pcrs()));
	ck_assert_uint_eq(match_boot(&plain, PCRS, sets, 1).unknown, BE);
	ck_assert(match_boot(&plain, 1u << 0 | 1u << 4 | 1u << 7, sets, 1).all);
	capture_some(&plain, own_part, true, &sets[1]);
	ck_assert(match_boot(&plain, PCRS, sets, 2).all);
	free_sets(sets, 2);
}
END_TEST

/* A set of one component grants that one; what it does not speak of stays unknown. */
START_TEST(parts_of_sets_unite)
{
	static const unsigned parts[] = { 1u << COMPONENT_FIRMWARE | 1u << COMPONENT_SECUREBOOT, 1u << COMPONENT_LOADER, 1u << COMPONENT_BOOT_ENTRY };
	struct known_set sets[3];

	for (unsigned i = 0; i < 3; i++)
		capture_some(&plain, (struct set_want){ parts[i], parts[i] == BE, false }, true, &sets[i]);
	ck_assert(match_boot(&plain, PCRS, sets, 3).all);
	for (unsigned i = 0; i < 3; i++) {
		sets[i].active = false;
		ck_assert_uint_eq(match_boot(&plain, PCRS, sets, 3).unknown, parts[i]);
		sets[i].active = true;
	}
	free_sets(sets, 3);
}
END_TEST

/* --- revoked --- */

static int
revoked_in(const struct boot *b, const struct known_set *sets, unsigned n)
{
	struct error e = { .code = ERR_NONE };
	own(eventlog) struct eventlog log = { 0 };
	own(measured) struct measured m = { 0 };

	boot_log(b, &log);
	ck_assert(measured_open(&log, BANK_SHA256, PCRS, &m, &e));
	return match_revoked(&m, sets, n);
}

/* own: the revoked set came from this host; parts that are revoked by themselves; is this boot refused for it? */
static const struct { const char *label; bool own; unsigned parts; struct boot boot; bool refused; } revocations[] = {
	{ "exactly this boot",           true,  0,  { "fw1", bootx64, kernel, "root=a quiet", NULL, true }, true },
	{ "other words",                 true,  0,  { "fw1", bootx64, kernel, "root=c", NULL, true }, false },
	{ "other firmware",              true,  0,  { "fw2", bootx64, kernel, "root=a quiet", NULL, true }, false },
	{ "the boot of another host",    false, 0,  { "fw1", bootx64, kernel, "root=a quiet", NULL, true }, true },
	{ "other words than another's",  false, 0,  { "fw1", bootx64, kernel, "root=c", NULL, true }, false },
	{ "the loader, any boot",        true,  LD, { "fw2", bootx64, "K2", "root=c", NULL, true }, true },
	{ "the loader on another host",  false, LD, { "fw2", bootx64, "K2", "root=c", NULL, true }, true },
	{ "another loader",              true,  LD, { "fw1", grub, kernel, "root=a quiet", NULL, true }, false },
	{ "the kernel on another host",  false, BE, { "fw2", grub, kernel, "root=c", NULL, true }, true },
	{ "the kernel with other words", true,  BE, { "fw1", bootx64, kernel, "root=c", NULL, true }, true },
	{ "another kernel",              true,  BE, { "fw1", bootx64, "K2", "root=a quiet", NULL, true }, false },
	{ "either of two",               true,  FW | LD, { "fw1", grub, "K2", "root=c", NULL, true }, true },
};

START_TEST(revoked_stands_above_unions)
{
	struct known_set sets[2];

	capture(&revocations[_i].boot, &sets[0]);
	capture(&plain, &sets[1]);
	sets[1].active = false;
	ck_assert_int_eq(revoked_in(&revocations[_i].boot, sets, 2), NO_SET);
	sets[1].revoked = true;
	sets[1].own_host = revocations[_i].own;
	sets[1].revoked_parts = revocations[_i].parts;
	ck_assert_msg((revoked_in(&revocations[_i].boot, sets, 2) == 1) == revocations[_i].refused, "%s", revocations[_i].label);
	free_sets(sets, 2);
}
END_TEST

/* --- grubenv --- */

static const char warned[] = "# GRUB Environment Block\n# WARNING: Do not edit this file by tools other than grub-editenv!!!\n";
static const struct { const char *head; bool known; } blocks[] = {
	{ "# GRUB Environment Block\n", true },
	{ warned, true },
	{ "# GRUB Environment Block\nrecordfail=1\n", true },
	{ "# GRUB Environment Block\nnext_entry=\nrecordfail=1\n", true },
	{ "# GRUB Environment Block\nrecordfail=1\nnext_entry=\n", true },
	{ "# GRUB Environment Block\nrecordfail=1\ninitrdfail=1\n", true },
	{ "# GRUB Environment Block\nrecordfail=1\ninitrdfail=1\nnext_entry=\nprev_saved_entry=\n", true },
	{ "# GRUB Environment Block\nrecordfail=1\nrecordfail=1\n", false },
	{ "# GRUB Environment Block\nrecordfail=2\n", false },
	{ "# GRUB Environment Block\nnext_entry=evil\n", false },
	{ "# GRUB Environment Block\nsaved_entry=0\n", false },
	{ "# GRUB Environment", false },
	{ "", false },
};

/* The block stands in PCR 9 after the kernel; where the set has it, its other states pass, and nowhere else. */
static void
grubenv_log(const char *path, const char *head, struct eventlog *log)
{
	own(made_log) struct made_log l = { 0 };
	char block[1024];

	memset(block, '#', sizeof(block));
	memcpy(block, head, strlen(head));
	made_open(&l, 1u << BANK_SHA256 | 1u << BANK_SHA384);
	made_text(&l, 0, 8, "fw");
	image(&l, kernel);
	made_measure(&l, 9, EV_IPL, "vmlinuz", 7, "/vmlinuz", 9);
	made_measure(&l, 9, EV_IPL, block, sizeof(block), path, strlen(path) + 1);
	made_parse(&l, log);
}

static bool
grubenv_passes(const char *path, const char *was, const char *is, enum bank bank)
{
	enum { SOME = 1u << 0 | 1u << 4 | 1u << 9 };
	struct error e = { .code = ERR_NONE };
	own(eventlog) struct eventlog before = { 0 }, after = { 0 };
	struct known_set known = { .active = true, .own_host = true };
	own(measured) struct measured m = { 0 };
	struct match match;

	grubenv_log(path, was, &before);
	grubenv_log(path, is, &after);
	ck_assert(set_capture(&before, bank, SOME, &known.set, &e));
	ck_assert(measured_open(&after, bank, SOME, &m, &e));
	match_log(&m, &known, 1, use_all, NULL, &match);
	set_free(&known.set);
	return match.all;
}

START_TEST(grubenv_states)
{
	static const char path[] = "(hd0,gpt2)/boot/grub/grubenv", saved[] = "# GRUB Environment Block\nsaved_entry=1\n";

	for (enum bank b = BANK_SHA256; b <= BANK_SHA384; b++) {
		ck_assert_msg(grubenv_passes(path, saved, blocks[_i].head, b) == blocks[_i].known, "%s", blocks[_i].head);
		ck_assert(grubenv_passes(path, blocks[_i].head, blocks[_i].head, b));
		ck_assert(!grubenv_passes("/boot/grub/grub.cfg", saved, blocks[_i].head, b));
	}
}
END_TEST

START_TEST(grubenv_names)
{
	ck_assert(grubenv_named("grubenv") && grubenv_named("/grubenv") && grubenv_named("(hd0,gpt1)/boot/grub/grubenv"));
	ck_assert(!grubenv_named("") && !grubenv_named("rubenv") && !grubenv_named("xgrubenv") && !grubenv_named("/grubenv.bak"));
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_test(tc, components_have_words);
	tcase_add_loop_test(tc, pcr_4_is_split, 0, COUNT(splits));
	tcase_add_test(tc, test_row_6_nothing_to_capture);
	tcase_add_test(tc, set_is_limited);
	tcase_add_test(tc, packed_form_comes_back);
	tcase_add_loop_test(tc, packed_lies_are_refused, 0, COUNT(lies));
	tcase_add_loop_test(tc, one_set_matches_its_own_boot, 0, COUNT(boots));
	tcase_add_test(tc, sets_unite_by_component);
	tcase_add_test(tc, host_entries_serve_the_same_boot);
	tcase_add_test(tc, test_row_6_nothing_matches_nothing);
	tcase_add_test(tc, every_event_is_required_once);
	tcase_add_loop_test(tc, test_row_28_second_host, 0, COUNT(seconds));
	tcase_add_test(tc, own_part_grants_nothing);
	tcase_add_test(tc, test_row_28_parts_do_not_mix);
	tcase_add_test(tc, scopes_of_whole_sets);
	tcase_add_test(tc, parts_of_sets_unite);
	tcase_add_loop_test(tc, revoked_stands_above_unions, 0, COUNT(revocations));
	tcase_add_loop_test(tc, grubenv_states, 0, COUNT(blocks));
	tcase_add_test(tc, grubenv_names);
}

int main(void) { return unit_run("reference", add); }
