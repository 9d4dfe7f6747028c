# Puts what is deployed into dist/.
set -eu
mkdir -p dist/migrations
cp app/*.py migrations/migrate.sh dist/
cp migrations/*.sql dist/migrations/
echo "packed $(find dist -type f | wc -l) files"
