# What must stay true of the tree itself: who includes what, who links what, what is documented.
tree_tests = %D%/findings.sh %D%/guides.sh %D%/headers.sh %D%/includes.sh %D%/links.sh %D%/pages.sh %D%/reasons.sh %D%/recipes.sh %D%/tests.sh %D%/tools.sh
dist_check_SCRIPTS += $(tree_tests)
TESTS += $(tree_tests)
AM_TESTS_ENVIRONMENT += CC='$(CC)'; export CC;
AM_TESTS_ENVIRONMENT += TREE_CFLAGS='$(CRYPTO_CFLAGS) $(SSL_CFLAGS) $(JSON_CFLAGS) $(CURL_CFLAGS) $(TSS2_CFLAGS) $(EVENT_CFLAGS) $(SQLITE_CFLAGS) $(CHECK_CFLAGS)'; export TREE_CFLAGS;
