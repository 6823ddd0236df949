# What a system has to be told about the daemons. make installs units, users and folders; the configuration samples and
# the files for other programs are put in place by packages (debian/), which do not overwrite what an administrator wrote.
systemdsystemunit_DATA = %D%/attestd.service %D%/attestd.socket %D%/attestd-decisions.socket %D%/verifierd.service
sysusersdir = $(prefix)/lib/sysusers.d
dist_sysusers_DATA = %D%/sysusers.d/attestd.conf %D%/sysusers.d/pam-attest.conf %D%/sysusers.d/verifierd.conf
tmpfilesdir = $(prefix)/lib/tmpfiles.d
dist_tmpfiles_DATA = %D%/tmpfiles.d/attestd.conf
CLEANFILES += %D%/attestd.service %D%/verifierd.service
EXTRA_DIST += %D%/prometheus/pam-attest.rules.yml
EXTRA_DIST += %D%/attestd.service.in %D%/attestd.socket %D%/attestd-decisions.socket %D%/verifierd.service.in \
	%D%/gate.conf %D%/attestd.conf %D%/verifierd.conf \
	%D%/apparmor.d/usr.sbin.attestd %D%/apparmor.d/usr.sbin.verifierd %D%/apparmor.d/abstractions/pam-attest \
	%D%/apparmor.d/abstractions/nameservice.d/libnss-attest \
	%D%/fail2ban/pam-attest.conf %D%/logcheck/libpam-attest %D%/logcheck/attestd %D%/logcheck/verifierd

# What journalctl -x says: generated from the table that the lines' MESSAGE_IDs come from.
noinst_PROGRAMS = %D%/catalog
deploy_catalog_SOURCES = %D%/catalog.c
catalogdir = $(prefix)/lib/systemd/catalog
nodist_catalog_DATA = %D%/pam-attest.catalog
CLEANFILES += %D%/pam-attest.catalog
%D%/pam-attest.catalog: %D%/catalog$(EXEEXT)
	$(AM_V_GEN)%D%/catalog$(EXEEXT) >$@

%D%/attestd.service: $(srcdir)/%D%/attestd.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) %D% && sed 's,[@]sbindir@,$(sbindir),' $(srcdir)/%D%/attestd.service.in >$@
%D%/verifierd.service: $(srcdir)/%D%/verifierd.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) %D% && sed 's,[@]sbindir@,$(sbindir),' $(srcdir)/%D%/verifierd.service.in >$@

# Completion of attestctl and verifierctl, for each shell the same few lines: the programs' own tables say what may stand next.
bashcompdir = $(datadir)/bash-completion/completions
zshcompdir  = $(datadir)/zsh/vendor-completions
fishcompdir = $(datadir)/fish/vendor_completions.d
nodist_bashcomp_DATA = %D%/completion/attestctl %D%/completion/verifierctl
nodist_zshcomp_DATA  = %D%/completion/_attestctl %D%/completion/_verifierctl
nodist_fishcomp_DATA = %D%/completion/attestctl.fish %D%/completion/verifierctl.fish
CLEANFILES += $(nodist_bashcomp_DATA) $(nodist_zshcomp_DATA) $(nodist_fishcomp_DATA)
EXTRA_DIST += %D%/completion/bash.in %D%/completion/zsh.in %D%/completion/fish.in
%D%/completion/attestctl: $(srcdir)/%D%/completion/bash.in Makefile
	$(AM_V_GEN)$(MKDIR_P) %D%/completion && sed 's,[@]PROGRAM[@],attestctl,g' $(srcdir)/%D%/completion/bash.in >$@
%D%/completion/_attestctl: $(srcdir)/%D%/completion/zsh.in Makefile
	$(AM_V_GEN)$(MKDIR_P) %D%/completion && sed 's,[@]PROGRAM[@],attestctl,g' $(srcdir)/%D%/completion/zsh.in >$@
%D%/completion/attestctl.fish: $(srcdir)/%D%/completion/fish.in Makefile
	$(AM_V_GEN)$(MKDIR_P) %D%/completion && sed 's,[@]PROGRAM[@],attestctl,g' $(srcdir)/%D%/completion/fish.in >$@
%D%/completion/verifierctl: $(srcdir)/%D%/completion/bash.in Makefile
	$(AM_V_GEN)$(MKDIR_P) %D%/completion && sed 's,[@]PROGRAM[@],verifierctl,g' $(srcdir)/%D%/completion/bash.in >$@
%D%/completion/_verifierctl: $(srcdir)/%D%/completion/zsh.in Makefile
	$(AM_V_GEN)$(MKDIR_P) %D%/completion && sed 's,[@]PROGRAM[@],verifierctl,g' $(srcdir)/%D%/completion/zsh.in >$@
%D%/completion/verifierctl.fish: $(srcdir)/%D%/completion/fish.in Makefile
	$(AM_V_GEN)$(MKDIR_P) %D%/completion && sed 's,[@]PROGRAM[@],verifierctl,g' $(srcdir)/%D%/completion/fish.in >$@
