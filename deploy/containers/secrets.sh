#!/bin/sh
# Makes the secret files of compose.yaml once: sh deploy/containers/secrets.sh [FOLDER]; files that are there stay.
# The folder is the owner's alone; the files are readable, because containers read them as a user of their own.
set -eu
folder=${1:-deploy/secrets}
mkdir -p "$folder"
chmod 700 "$folder"

random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
keep() { [ -e "$folder/$1" ] || { cat >"$folder/$1"; chmod 444 "$folder/$1"; }; }

for name in secret_key customer_token_secret internal_secret postgres_password rabbitmq_password; do
  random | keep "$name"
done
printf 'postgresql://zhike:%s@postgres/zhike' "$(cat "$folder/postgres_password")" | keep database_url
printf 'amqp://zhike:%s@rabbitmq' "$(cat "$folder/rabbitmq_password")" | keep rabbitmq_url
printf 'default_user = zhike\ndefault_pass = %s\n' "$(cat "$folder/rabbitmq_password")" | keep rabbitmq.conf
