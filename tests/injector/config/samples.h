#pragma once

namespace injector::config {

/// The example of the documentation, as it stands there.
inline constexpr const char* kExample = R"(mount: /run/secrets/app                 # a tmpfs
refresh: 5m
stores:
  bao:
    vault:
      address: [https://bao-0.example:8200, https://bao-1.example:8200]
      ca_file: /etc/secret-injector/ca.crt
      auth: { approle: { role_id_file: /etc/secret-injector/role-id, secret_id_file: /etc/secret-injector/secret-id } }
  sm:
    aws: { region: eu-central-1 }
files:
  - path: db/password
    from: bao:kv/shop/db#password       # store:path#key; KV 1 or 2 is found out; without #key the whole secret
  - path: app.env
    from: [sm:prod/shop, bao:kv/shop/app]   # the second where the first cannot be had
    format: dotenv
    mode: "0440"
    max_stale: { after: 1h, then: unready }
  - path: tls/bundle.pem
    from: { store: bao, write: pki/issue/web, data: { common_name: shop.example } }
    format: pem
    on_change: { signal: HUP, process: nginx }
)";

/// A configuration with every key that there is, but for those that exclude each other.
inline constexpr const char* kEverything = R"(mount: /run/secrets/app
refresh: 1m30s
start_jitter: 10s
start_timeout: 5m
require: [tmpfs, noswap, locked_memory]
health: { listen: "[::]:9000" }
quit: { listen: 127.0.0.1:8200 }
log: { level: debug, format: json }
shutdown: { remove_files: true, timeout: 1s }
stores:
  bao:
    vault:
      address: https://bao.example:8200
      namespace: team/app
      auth_namespace: team
      ca_file: /etc/ca.crt
      ca_dir: /etc/ca
      server_name: bao.internal
      client_cert_file: /etc/client.crt
      client_key_file: /etc/client.key
      auth: { kubernetes: { role: shop, mount: k8s/eu, token_file: /var/run/secrets/vault/token } }
      proxy: http://proxy.example:3128
      login_backoff: { first: 2s, most: 1m }
      timeout: 2s500ms
      revoke: false
  jwt: { vault: { address: "http://127.0.0.1:8200", auth: { jwt: { role: shop, mount: jwt, token_file: /t } } } }
  wrapped:
    vault:
      address: ["https://a"]
      auth: { approle: { mount: approle, role_id_file: /r, secret_id_file: /s, secret_id_wrapped: true, creation_path: auth/approle/role/shop/secret-id } }
  cert: { vault: { address: ["https://a"], client_cert_file: /c, client_key_file: /k, auth: { cert: { name: web, mount: cert } } } }
  iam: { vault: { address: ["https://a"], auth: { aws: { role: shop, mount: aws, region: eu-central-1, header: vault.example } } } }
  token: { vault: { address: ["https://a"], auth: { token_file: /t } } }
  sm:
    aws:
      region: eu-central-1
      failover_regions: [eu-west-1]
      endpoint: https://vpce.example
      sts_endpoint: https://sts.example
      ca_file: /etc/ca.crt
      fips: true
      dual_stack: false
      role_arn: arn:aws:iam::123456789012:role/shop
      role_session_name: shop
      web_identity_token_file: /var/run/secrets/aws/token
      profile: shop
      credentials: [container, instance]
      timeout: 3s
  dir: { file: { directory: /values } }
files:
  - path: a/b/c.txt
    from: { store: bao, path: kv/a, key: k, version: 3, namespace: other }
    format: raw
    mode: "0444"
    owner: 1000
    group: 4294967294
    max_stale: { after: 10m, then: remove }
    refresh: 1h30m
    on_change: { run: [/bin/reload, --now], timeout: 3s, debounce: 0s }
  - { path: b, from: { store: sm, path: prod/shop, stage: AWSPREVIOUS }, format: yaml, on_change: { post: "http://127.0.0.1:8080/-/reload" } }
  - { path: c, from: { store: bao, write: pki/issue/web, data: { common_name: shop.example, ttl: 24h, exclude_cn_from_sans: true, n: 5 } }, format: pem, on_change: { signal: SIGUSR1, pid_file: /run/nginx.pid } }
  - { path: d, from: dir:a, format: properties, max_stale: { after: 1h } }
)";

}  // namespace injector::config
