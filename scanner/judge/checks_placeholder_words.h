#pragma once

#include <array>
#include <string_view>

namespace scanner::judge {

// clang-format off

/// Words of which one alone, standing as a whole word, shows that a value is a stand-in. Sorted.
inline constexpr std::array<std::string_view, 30> kStandIns = {
    "censored", "changeit", "changeme", "dummy", "example", "examples", "fake", "fixme", "hidden", "insert", "ipsum",
    "lorem", "masked", "mock", "mocked", "obfuscated", "placeholder", "placeholders", "redacted", "removed",
    "replace", "replaced", "replaceme", "sample", "samples", "stub", "todo", "truncated", "your", "yours"};

/// Words of which a value may not consist alone: what people call secrets, and what they write in place of one. Sorted.
inline constexpr std::array<std::string_view, 235> kCommonWords = {
    "a", "abc", "abcd", "access", "account", "actual", "add", "an", "and", "any", "anything", "api", "app",
    "application", "array", "as", "at", "auth", "aws", "azure", "bar", "basic", "baz", "be", "bearer", "blah", "bool",
    "boolean", "bot", "bucket", "by", "bytes", "char", "choose", "client", "code", "codes", "config", "configuration",
    "connection", "consumer", "correct", "cred", "credential", "credentials", "creds", "data", "database", "db",
    "default", "defaults", "dev", "development", "dict", "disabled", "do", "docker", "dont", "double", "email",
    "empty", "enabled", "encoded", "encrypted", "encryption", "enter", "env", "environment", "false", "file", "fill",
    "float", "foo", "foobar", "for", "from", "gcp", "generated", "git", "github", "gitlab", "google", "hash", "here",
    "hook", "host", "hostname", "hunter", "id", "ids", "if", "in", "info", "int", "integer", "invalid", "is", "it",
    "jwt", "key", "keys", "kubernetes", "let", "letmein", "list", "live", "local", "localhost", "login", "long",
    "mail", "map", "master", "me", "missing", "must", "my", "name", "names", "new", "nil", "no", "none", "not",
    "notasecret", "npm", "null", "number", "oauth", "object", "of", "old", "on", "only", "openai", "optional", "or",
    "org", "organization", "pass", "passphrase", "passwd", "password", "passwords", "path", "please", "port",
    "private", "prod", "production", "project", "provide", "public", "put", "pw", "pwd", "qux", "random", "real",
    "refresh", "region", "registry", "repo", "required", "same", "secret", "secrets", "secretstr", "sensitive",
    "server", "service", "services", "session", "set", "shared", "should", "signin", "signing", "slack", "some",
    "something", "specify", "ssh", "staging", "storage", "str", "string", "stripe", "strong", "super", "supply",
    "team", "tenant", "test", "tester", "testing", "tests", "text", "that", "the", "this", "to", "token", "tokens",
    "true", "twilio", "type", "undefined", "unknown", "unset", "uri", "url", "use", "used", "user", "username",
    "users", "using", "valid", "value", "values", "var", "varchar", "variable", "vault", "very", "webhook",
    "whatever", "will", "with", "without", "wrong", "xxx", "xyz", "yes"};

// clang-format on

}  // namespace scanner::judge
