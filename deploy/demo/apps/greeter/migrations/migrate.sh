# Applies each migration once per stage, in order, and writes that down in the stage's ledger.
# The database is imagined; how long a migration takes is not.
set -eu
touch "$LEDGER"
for file in migrations/*.sql; do
  name=$(basename "$file")
  if grep -qx "applied $name" "$LEDGER"; then
    echo "$name: applied before"
    continue
  fi
  seconds=$(sed -n 's/^-- takes \([0-9.]*\) s$/\1/p' "$file")
  echo "$name: applying"
  sleep "${seconds:-0}"
  echo "applied $name" >> "$LEDGER"
done
