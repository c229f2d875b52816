#!/usr/bin/env bash
# store.sh vault|aws...: what the examples need in the stores, with made-up values.
#
# vault: `bao` or `vault` on PATH, logged in as somebody who may (BAO_ADDR or VAULT_ADDR), with KV version 2 at secret/
# and the kubernetes method at auth/kubernetes configured for the cluster.
# aws: `aws` on PATH, logged in likewise; the role arn:aws:iam::111122223333:role/shop of the examples is to be yours, with
# a trust policy for the service accounts shop-aws and shop-both and the permission secretsmanager:GetSecretValue on
# arn:aws:secretsmanager:*:*:secret:prod/shop/*.
set -euo pipefail
namespace=${NAMESPACE:-shop}

made_up() { head -c 18 /dev/urandom | base64 | tr '+/' '-_'; }

vault() {
  local bao
  bao=$(command -v bao || type -P vault)
  "$bao" kv put secret/shop/db username=shop password="$(made_up)"
  "$bao" kv put secret/shop/app SMTP_PASSWORD="$(made_up)" SESSION_KEY="$(made_up)"
  "$bao" policy write shop - <<< 'path "secret/data/shop/*" { capabilities = ["read"] }'
  "$bao" write auth/kubernetes/role/shop audience=vault token_policies=shop token_ttl=1h \
    bound_service_account_names=shop,shop-both,shop-job,shop-moving bound_service_account_namespaces="$namespace"
}

aws() {
  put() { command aws secretsmanager create-secret --name "$1" --secret-string "$2" --query ARN --output text; }
  put prod/shop/db "{\"username\": \"shop\", \"password\": \"$(made_up)\"}"
  put prod/shop/license "$(made_up)"
  put prod/shop/partner "{\"key\": \"$(made_up)\"}"
}

[ $# -gt 0 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
for store in "$@"; do
  case $store in
    vault | aws) "$store" ;;
    *) echo "store.sh: $store is neither vault nor aws" >&2; exit 2 ;;
  esac
done
