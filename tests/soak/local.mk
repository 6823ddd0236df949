# Steady load for an hour, by hand: tests/soak/soak.sh
EXTRA_DIST += %D%/soak.sh
