#!/bin/sh
# What the images start: web, worker, actions, brain, setup – or any other command, e.g. `zhike backup …`.
# A secret may come from a file: ZHIKE_INTERNAL_SECRET_FILE=/run/secrets/… sets ZHIKE_INTERNAL_SECRET.
set -eu

for variable in $(env | sed -n 's/^\(ZHIKE_[A-Z_]*\)_FILE=.*/\1/p'); do
  eval "file=\$${variable}_FILE"
  value=$(cat "$file") # on a line of its own: a missing file must stop the start
  export "$variable=$value"
  unset "${variable}_FILE"
done

case "${1:-}" in
  web | worker)
    # A worker is a web process nobody is sent to: the background threads run in each of them (jobs/worker.py).
    exec .venv/bin/python deploy/containers/start.py web
    ;;
  actions)
    exec .venv/bin/python deploy/containers/start.py actions
    ;;
  setup)
    [ -e models/products.yml ] || cp products.yml models/products.yml
    exec .venv/bin/python -m cli.main setup
    ;;
  brain)
    until [ -e models/zhike.tar.gz ]; do
      echo "waiting for set-up to make the model" >&2
      sleep 5
    done
    # As cli/processes.py starts it, which needs the app's environment; tests/deploy compares the two.
    export ZHIKE_BRAIN_DB="${ZHIKE_BRAIN_DB:-$ZHIKE_DATABASE_URL}" POSTGRESQL_SCHEMA=brain
    export ZHIKE_BRAIN_STORE="${ZHIKE_BRAIN_STORE:-bot.serving.talks.Talks}" ZHIKE_RABBITMQ_URL="${ZHIKE_RABBITMQ_URL:-}"
    exec .venv-bot/bin/python -m bot.serving.run run -i "$ZHIKE_BRAIN_HOST" -p "$ZHIKE_BRAIN_PORT" --model models/zhike.tar.gz \
      --endpoints bot/endpoints.yml --credentials bot/credentials.yml
    ;;
  *)
    exec "$@"
    ;;
esac
