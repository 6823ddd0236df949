# What administrators copy and change; the tests use these very files.
recipesdir = $(pkgdatadir)/recipes
dist_recipes_SCRIPTS = %D%/openvpn-end-sessions %D%/wireguard-peers
