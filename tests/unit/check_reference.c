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

/* version, bank, pcrs, count, then the first entry: component, scope, pcr */
static const struct { const char *label; size_t at; uint8_t value; const char *why; } lies[] = {
	{ "version",            0, 2,    "version 2" },
	{ "bank",               1, 9,    "bank 9" },
	{ "PCR 24",             2, 1,    "pcrs 0x" },
	{ "no entries",         9, 0,    "0 entries" },
	{ "many entries",       6, 0xff, "entries in" },
	{ "component",         10, 9,    "component 9" },
	{ "another component", 10, COMPONENT_SECUREBOOT, "not one of this component" },
	{ "scope",             11, SCOPE_HOST, "not one of this component and scope" },
	{ "PCR outside",       12, 1,    "not one of this component" },
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

/* What another host measured into PCR 8 and 9 neither counts for this one nor may it be left out. */
START_TEST(host_entries_serve_their_host)
{
	struct known_set known;
	struct match m;

	capture(&plain, &known);
	known.own_host = false;
	m = match_boot(&plain, PCRS, &known, 1);
	ck_assert(!m.all && m.unknown == BE);
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
	tcase_add_test(tc, host_entries_serve_their_host);
	tcase_add_test(tc, test_row_6_nothing_matches_nothing);
	tcase_add_test(tc, every_event_is_required_once);
}

int main(void) { return unit_run("reference", add); }
