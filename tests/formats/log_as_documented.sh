#!/bin/sh
# usage: log_as_documented.sh WRITE_LOG PYTHON
#
# The engine writes a log and says what is in it; the reader must find the same, and must notice a flipped byte.
set -eu
here=$(dirname "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$1" "$folder/data" > "$folder/expected"
"$2" "$here/log_reader.py" "$folder/data" --expect "$folder/expected"

segment=$(find "$folder/data/topics/accounts" -name '*.log' | sort | head -n 1)
printf '\377' | dd of="$segment" bs=1 seek=700 conv=notrunc 2> /dev/null
if "$2" "$here/log_reader.py" "$folder/data" > /dev/null 2> "$folder/damage"; then
    echo "the reader did not notice a flipped byte in $segment"
    exit 1
fi
cat "$folder/damage"
