#!/bin/sh
# Makes the secrets that docker-compose.yml mounts, each once; what is there is kept.
# Usage: sh docker/make_secrets.sh [folder]    (default: secrets)
set -eu

folder=${1:-secrets}
# Closed to everybody else on this machine. The files inside are readable, because they are mounted
# as they are and the programs in the containers run under numbers that nobody has here.
mkdir -p "$folder"
chmod 700 "$folder"
umask 022

keep() { # name, content from standard input
    if [ -s "$folder/$1" ]; then cat >/dev/null; else tr -d '\n' >"$folder/$1"; fi
}
random() { # number of bytes, printed as hexadecimal digits
    od -An -v -tx1 -N"$1" /dev/urandom | tr -d ' \n'
}
url() { # role
    printf 'postgresql://handrail_%s:%s@postgres:5432/handrail' \
        "$1" "$(cat "$folder/database_$1_password")"
}

random 40 | keep secret_key
# Lost, no note can be read again. A new one goes in front of those that are there, with a space.
{
    printf 'k1:'
    head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n'
} | keep patient_keys
random 24 | keep postgres_password
random 24 | keep metrics_token
for role in owner web worker; do random 24 | keep "database_${role}_password"; done
url owner | keep database_owner_url
url web | keep database_url
url worker | keep database_worker_url

if [ ! -s "$folder/redis_conf" ]; then
    {
        printf 'requirepass %s\n' "$(random 24)"
        printf 'bind * -::*\nport 6379\nsave ""\nappendonly no\n'
        printf 'maxmemory 128mb\nmaxmemory-policy noeviction\n'
    } >"$folder/redis_conf"
fi
printf 'redis://:%s@redis:6379/0' "$(sed -n 's/^requirepass //p' "$folder/redis_conf")" |
    keep redis_url

# Empty until you have one: a mount needs a file.
for name in email_password healthcheck_ping_url twilio_token vapid_private_key; do
    [ -e "$folder/$name" ] || : >"$folder/$name"
done
if [ ! -s "$folder/firebase.json" ]; then
    echo "Still missing: $folder/firebase.json, the key of a Firebase service account."
fi
