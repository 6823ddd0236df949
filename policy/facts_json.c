#include "facts_json.h"
#include "scope.h"

static struct json *
fact_json(const struct boot_facts *f, const struct fact *at)
{
	struct json *o = json_new();

	json_put_text(o, "binding", fact_binding_word(at->binding));
	if (at->binding == FACT_ABSENT)
		return o;
	json_put_int(o, "pcr", at->pcr);
	json_put_int(o, "event", at->event);
	json_put_hex(o, "digest", at->digest, bank_size(f->bank));
	return o;
}

static struct json *
flag_json(const struct boot_facts *f, const struct fact_flag *flag)
{
	struct json *o = fact_json(f, &flag->at);

	if (flag->at.binding != FACT_ABSENT)
		json_put_bool(o, "set", flag->set);
	return o;
}

static struct json *
text_json(const struct boot_facts *f, const struct fact_text *t)
{
	struct json *o = fact_json(f, &t->at);

	if (t->at.binding != FACT_ABSENT)
		json_put_text(o, "text", t->text);
	return o;
}

static struct json *
cert_json(const struct fact_cert *c)
{
	struct json *o = json_new();

	json_put_text(o, "name", c->name);
	json_put_hex(o, "sha256", c->sha256, SHA256_SIZE);
	return o;
}

static struct json *
store_json(const struct boot_facts *f, const struct key_store *s)
{
	struct json *o = fact_json(f, &s->at), *certs = json_new_list();

	json_put_int(o, "entries", s->count);
	json_put_int(o, "hashes", s->hashes);
	for (unsigned i = 0; i < s->certs; i++)
		json_add(certs, cert_json(&f->cert[s->first_cert + i]));
	json_put(o, "certificates", certs);
	json_put_bool(o, "whole", s->whole);
	return o;
}

static struct json *
authorities_json(const struct boot_facts *f)
{
	struct json *list = json_new_list();

	for (unsigned i = 0; i < f->secure_boot.nauthorities; i++) {
		const struct authority *a = &f->secure_boot.authority[i];
		struct json *o = fact_json(f, &a->at);

		json_put_text(o, "variable", a->variable);
		json_put_bool(o, "before_separator", a->early);
		json_put_bool(o, "known", a->known);
		if (a->is_cert)
			json_put(o, "certificate", cert_json(&a->cert));
		else
			json_put_null(o, "certificate");
		json_add(list, o);
	}
	return list;
}

static struct json *
secure_boot_json(const struct boot_facts *f)
{
	const struct secure_boot *s = &f->secure_boot;
	struct json *o = json_new(), *stores = json_new();

	json_put_text(o, "state", secure_boot_word(s->state));
	json_put_text(o, "binding", fact_binding_word(s->binding));
	json_put_text(o, "why", s->why);
	json_put(o, "variable", flag_json(f, &s->variable));
	for (unsigned i = 0; i < STORE_COUNT; i++)
		if (s->store[i].at.binding != FACT_ABSENT)
			json_put(stores, key_store_word((enum key_store_name)i), store_json(f, &s->store[i]));
	json_put(o, "keys", stores);
	json_put(o, "setup_mode", flag_json(f, &s->setup_mode));
	json_put(o, "audit_mode", flag_json(f, &s->audit_mode));
	json_put(o, "deployed_mode", flag_json(f, &s->deployed_mode));
	json_put(o, "debug_mode", fact_json(f, &s->debug_mode));
	json_put(o, "dma_protection_off", fact_json(f, &s->dma_off));
	json_put(o, "authorities", authorities_json(f));
	json_put_bool(o, "shim_off", s->shim_off);
	json_put(o, "mok_sb_state", flag_json(f, &s->mok_sb_state));
	json_put(o, "mok_list", fact_json(f, &f->mok.list));
	json_put(o, "mok_list_x", fact_json(f, &f->mok.list_x));
	json_put(o, "mok_list_trusted", fact_json(f, &f->mok.trusted));
	json_put(o, "sbat", text_json(f, &s->sbat));
	return o;
}

static struct json *
file_json(const struct boot_facts *f, const struct boot_file *file)
{
	struct json *o = fact_json(f, &file->at);

	if (file->at.binding == FACT_ABSENT)
		return o;
	json_put_text(o, "type", event_type_name(file->type));
	json_put_text(o, "name", file->name);
	json_put_text(o, "name_binding", fact_binding_word(file->named));
	return o;
}

static struct json *
files_json(const struct boot_facts *f, const struct boot_file *file, unsigned count)
{
	struct json *list = json_new_list();

	for (unsigned i = 0; i < count; i++)
		json_add(list, file_json(f, &file[i]));
	return list;
}

static struct json *
cmdlines_json(const struct boot_facts *f)
{
	struct json *list = json_new_list();

	for (unsigned i = 0; i < f->ncmdlines; i++) {
		struct json *o = fact_json(f, &f->cmdline[i].at);

		json_put_text(o, "source", cmdline_source_word(f->cmdline[i].source));
		json_put_text(o, "text", f->cmdline[i].text);
		json_add(list, o);
	}
	return list;
}

static struct json *
pcrs_json(uint32_t pcrs)
{
	struct json *list = json_new_list();

	for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
		if (pcrs & 1u << pcr)
			json_add_int(list, pcr);
	return list;
}

struct json *
facts_json(const struct boot_facts *f)
{
	struct json *o = json_new(), *kernel;

	json_put_text(o, "bank", bank_word(f->bank));
	json_put(o, "pcrs", pcrs_json(f->pcrs));
	json_put(o, "secure_boot", secure_boot_json(f));
	json_put(o, "separators", pcrs_json(f->separated));
	json_put(o, "error_separators", pcrs_json(f->error_separator));
	json_put_text(o, "boot", boot_kind_word(f->kind));
	json_put(o, "images", files_json(f, f->image, f->nimages));
	json_put(o, "drivers", files_json(f, f->driver, f->ndrivers));
	kernel = file_json(f, &f->kernel);
	json_put_text(kernel, "version", f->kernel_version);
	json_put(o, "kernel", kernel);
	json_put(o, "initrds", files_json(f, f->initrd, f->ninitrds));
	json_put(o, "command_lines", cmdlines_json(f));
	json_put(o, "boot_order", text_json(f, &f->boot_order));
	json_put_int(o, "not_shown", (int64_t)f->more_images + f->more_drivers + f->more_initrds + f->more_cmdlines +
	    f->secure_boot.more_authorities);
	return o;
}
