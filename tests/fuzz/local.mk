# Fuzz targets: fuzz_x.c has LLVMFuzzerTestOneInput. In `make check` each runs over its seeds
# (seeds/x/*) and over every prefix of them; configured with --enable-fuzzers it is libFuzzer's.
if LIBFUZZER
FUZZ_MAIN =
FUZZ_LINK = $(AM_LDFLAGS) -fsanitize=fuzzer
else
FUZZ_MAIN = %D%/seeds.c
FUZZ_LINK = $(AM_LDFLAGS)
endif
EXTRA_DIST += %D%/seeds.c %D%/seeds
EXTRA_DIST += %D%/run.sh
