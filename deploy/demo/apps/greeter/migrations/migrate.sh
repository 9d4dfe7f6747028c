# Applies each migration once per stage, in order, and writes that down in the stage's ledger.
# The database is imagined: its tables are locked for as long as there is a file LEDGER.locked.
set -eu
touch "$LEDGER"
for file in migrations/*.sql; do
  name=$(basename "$file")
  if grep -qx "applied $name" "$LEDGER"; then
    echo "$name: applied before"
    continue
  fi
  if [ -e "$LEDGER.locked" ]; then
    echo "$name: waits for a lock on the table"
    while [ -e "$LEDGER.locked" ]; do sleep 0.1; done
  fi
  echo "applied $name" >> "$LEDGER"
  echo "$name: applied"
done
