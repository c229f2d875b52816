#include "injector/pod/review.h"

#include "injector/pod/annotations.h"
#include "scanner/base/fd.h"
#include "tests/injector/pod/pods.h"

namespace injector::pod {
namespace {

using namespace test;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// --- what is done ----------------------------------------------------------------------------------------------------

TEST(Review, LeavesAPodAloneThatDoesNotAsk) {
  Json pod = labelled(kOne);
  pod["metadata"]["labels"]["secret-injector.io/inject"] = "false";
  EXPECT_TRUE(reviewed(pod).patch.empty());
  pod["metadata"].erase("labels");
  const Verdict verdict = reviewed(pod);
  EXPECT_TRUE(verdict.allowed);
  EXPECT_TRUE(verdict.patch.empty());
  EXPECT_THAT(verdict.warnings, ElementsAre(HasSubstr("without the label")));
}

TEST(Review, PutsANativeSidecarBeforeAllOtherInitContainers) {
  const Json pod = injected(labelled(kOne, "containers: [{name: app}]\ninitContainers: [{name: migrate}]\n"));
  const Json& first = pod["spec"]["initContainers"][0];
  EXPECT_EQ(first["name"], "secret-injector");
  EXPECT_EQ(first["restartPolicy"], "Always");
  EXPECT_EQ(first["args"], Json({"run"}));
  EXPECT_EQ(pod["spec"]["initContainers"][1]["name"], "migrate");
  EXPECT_THAT(first["startupProbe"]["exec"]["command"].dump(), HasSubstr("--started"));
  EXPECT_EQ(pod["metadata"]["annotations"]["secret-injector.io/status"], "injected");
}

TEST(Review, MountsTheFilesReadOnlyInEveryContainerAndInitContainer) {
  const Json pod =
      injected(labelled(kOne, "containers: [{name: app}, {name: log}]\ninitContainers: [{name: migrate}]\n"));
  for (const char* name : {"app", "log", "migrate"}) {
    EXPECT_THAT(mounts(container(pod, name), "secret-injector-files"), ElementsAre("/run/secrets/app")) << name;
    for (const Json& mount : container(pod, name)["volumeMounts"]) EXPECT_EQ(mount["readOnly"], true);
  }
  const Json& files = volume(pod, "secret-injector-files")["emptyDir"];
  EXPECT_EQ(files["medium"], "Memory");
  EXPECT_EQ(files["sizeLimit"], "16Mi");
}

TEST(Review, MountsThemWhereThePodSays) {
  const Json pod =
      injected(labelled(std::string(kOne) + "containers: app, migrate\nmount-path: /etc/shop\n",
                        "containers: [{name: app}, {name: log}]\ninitContainers: [{name: migrate}, {name: wait}]\n"));
  EXPECT_THAT(mounts(container(pod, "app"), "secret-injector-files"), ElementsAre("/etc/shop"));
  EXPECT_THAT(mounts(container(pod, "migrate"), "secret-injector-files"), ElementsAre("/etc/shop"));
  EXPECT_FALSE(container(pod, "log").contains("volumeMounts"));
  EXPECT_FALSE(container(pod, "wait").contains("volumeMounts"));
  EXPECT_EQ(configuration(pod).mount, "/etc/shop");
}

TEST(Review, HoldsToPodSecurityRestricted) {
  const Json pod = injected(labelled(kOne));
  const Json& security = sidecar(pod)["securityContext"];
  EXPECT_EQ(security["allowPrivilegeEscalation"], false);
  EXPECT_EQ(security["capabilities"], Json({{"drop", {"ALL"}}}));
  EXPECT_EQ(security["readOnlyRootFilesystem"], true);
  EXPECT_EQ(security["runAsNonRoot"], true);
  EXPECT_EQ(security["runAsUser"], 65532);
  EXPECT_EQ(security["seccompProfile"], Json({{"type", "RuntimeDefault"}}));
}

TEST(Review, LogsInWithATokenMadeForTheStore) {
  const Json pod = injected(labelled(kOne));
  const Json& token = volume(pod, "secret-injector-identity")["projected"]["sources"][1]["serviceAccountToken"];
  EXPECT_EQ(token["audience"], "vault");
  EXPECT_EQ(token["expirationSeconds"], 3600);
  EXPECT_EQ(volume(pod, "secret-injector-identity")["projected"]["defaultMode"], 0444);
  const auto config = configuration(pod);
  const auto& vault = std::get<config::VaultStore>(config.stores.at(0).kind);
  const auto& auth = std::get<config::KubernetesAuth>(vault.auth);
  EXPECT_EQ(auth.role, "shop");
  EXPECT_EQ(auth.token_file, "/run/secret-injector/" + token["path"].get<std::string>());
  EXPECT_EQ(vault.addresses, (std::vector<std::string>{"https://vault.vault.svc:8200"}));
  EXPECT_EQ(vault.ca_file, "/run/secret-injector/ca/vault.crt");
  EXPECT_THAT(mounts(sidecar(pod), "secret-injector-identity"), ElementsAre("/run/secret-injector"));
  EXPECT_THAT(mounts(container(pod, "app"), "secret-injector-identity"), IsEmpty());
}

TEST(Review, HandsOverCertificatesOfThePolicyByAnAnnotation) {
  const std::string pem = "-----BEGIN CERTIFICATE-----\n" + std::string(64, 'A') + "\n-----END CERTIFICATE-----\n";
  Policy given = default_policy();
  given.stores[0].ca = Authority{.config_map = "", .secret = "", .pem = pem};
  const Json pod = injected(labelled(kOne), given);
  EXPECT_EQ(pod["metadata"]["annotations"]["secret-injector.io/ca.vault"], pem);
  const Json& item = volume(pod, "secret-injector-identity")["projected"]["sources"][0]["downwardAPI"]["items"][0];
  EXPECT_EQ(item["fieldRef"]["fieldPath"], "metadata.annotations['secret-injector.io/ca.vault']");
  EXPECT_EQ(item["path"], "ca/vault.crt");
}

TEST(Review, TellsTheSidecarTheNamesOfItsPod) {
  const Json pod = injected(labelled(kOne));
  EXPECT_EQ(sidecar(pod)["env"][0]["valueFrom"]["fieldRef"]["fieldPath"], "metadata.name");
  EXPECT_EQ(sidecar(pod)["env"][1]["valueFrom"]["fieldRef"]["fieldPath"], "metadata.namespace");
}

TEST(Review, AddsAloneAndNothingTwice) {
  const Json pod = labelled(kOne,
                            "containers: [{name: app, volumeMounts: [{name: data, mountPath: /data}]}]\nvolumes: "
                            "[{name: data, emptyDir: {}}]\n");
  const Verdict first = reviewed(pod);
  for (const Json& operation : first.patch) EXPECT_EQ(operation["op"], "add");
  EXPECT_EQ(first.patch, reviewed(pod).patch);
  const Json after = pod.patch(first.patch);
  EXPECT_EQ(after["spec"]["volumes"][0]["name"], "data");
  EXPECT_EQ(after["spec"]["containers"][0]["volumeMounts"][0]["mountPath"], "/data");
  const Verdict second = reviewed(after);
  EXPECT_TRUE(second.allowed);
  EXPECT_TRUE(second.patch.empty());
}

TEST(Review, MakesListsAndObjectsThatAreNotThere) {
  for (const char* missing : {"{}", "{annotations: null}"}) {
    Json pod = yaml(
        "spec: {containers: [{name: app, volumeMounts: null}], volumes: null, initContainers: null, securityContext: "
        "null}\n");
    pod["metadata"] = yaml(missing);
    pod["metadata"]["labels"]["secret-injector.io/inject"] = "true";
    pod["metadata"]["annotations"]["vault.hashicorp.com/unused"] = "x";
    pod["metadata"]["annotations"]["secret-injector.io/secret.a"] = "kv/a#b";
    pod["metadata"]["annotations"]["secret-injector.io/role"] = "shop";
    const Json after = injected(pod);
    EXPECT_EQ(after["spec"]["initContainers"].size(), 1U);
    EXPECT_EQ(after["spec"]["volumes"].size(), 2U);
  }
}

TEST(Review, KeepsADollarAsItIs) {
  const Json pod = injected(labelled("role: shop\nsecret.a: kv/$(HOME)/$$x#key\n"));
  EXPECT_EQ(configuration(pod).files.at(0).from.at(0).path, "kv/$(HOME)/$$x");
}

// --- files -----------------------------------------------------------------------------------------------------------

TEST(Review, PassesOnEverythingThatAFileCanHave) {
  const Json pod = injected(labelled(R"(
role: shop
secret.tls: pki/issue/web
path.tls: tls/server.pem
format.tls: pem
data.tls: common_name=shop.example, ttl=24h
mode.tls: "0444"
refresh.tls: 30s
max-stale.tls: 1h unready
on-change.tls: http:127.0.0.1:8080/-/reload
secret.db: kv/shop/db?version=3#password
)"));
  const auto config = configuration(pod);
  ASSERT_EQ(config.files.size(), 2U);
  const FileSpec& tls = config.files[1];
  EXPECT_EQ(tls.path.text(), "tls/server.pem");
  EXPECT_EQ(tls.format, Format::pem);
  EXPECT_EQ(tls.mode, 0444U);
  EXPECT_TRUE(tls.from.at(0).write);
  EXPECT_EQ(tls.from.at(0).data.at("ttl"), "24h");
  EXPECT_EQ(tls.max_stale->then, MaxStale::Then::unready);
  EXPECT_EQ(std::get<PostLoopback>(tls.on_change->how).url, "http://127.0.0.1:8080/-/reload");
  EXPECT_EQ(config.files[0].from.at(0).version, "3");
  EXPECT_EQ(config.files[0].from.at(0).key, "password");
  EXPECT_TRUE(sidecar(pod).contains("readinessProbe"));
}

TEST(Review, DrawsAFileFromSeveralStores) {
  const auto config =
      configuration(injected(labelled("role: shop\nsecret.db: aws:prod/db#password, vault:kv/shop/db#password\n")));
  ASSERT_EQ(config.files.at(0).from.size(), 2U);
  EXPECT_EQ(config.files[0].from[0].store, "aws");
  EXPECT_EQ(config.files[0].from[1].store, "vault");
  EXPECT_EQ(config.stores.size(), 2U);
}

TEST(Review, TakesAnArnForAPath) {
  const auto config = configuration(injected(labelled(
      "store: aws\nsecret.db: arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/db-AbCdEf#password\n")));
  EXPECT_EQ(config.files.at(0).from.at(0).path,
            "arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/db-AbCdEf");
}

TEST(Review, PassesOnSettingsOfTheWholePod) {
  const Json pod = injected(labelled(std::string(kOne) + R"(
refresh: 1m
start-jitter: 10s
max-stale: 2h warn
require: noswap, nodev
size-limit: 32Mi
resources: requests.cpu=20m, limits.memory=128Mi, limits.cpu=1
health-port: "9910"
log-level: debug
log-format: text
)"));
  const auto config = configuration(pod);
  EXPECT_EQ(config.refresh, std::chrono::minutes(1));
  EXPECT_EQ(config.start_jitter, std::chrono::seconds(10));
  EXPECT_EQ(config.files.at(0).max_stale->after, std::chrono::hours(2));
  EXPECT_TRUE(config.require.noswap && config.require.nodev && !config.require.noexec);
  EXPECT_EQ(config.health.port, 9910);
  EXPECT_EQ(config.log.level, config::Log::Level::debug);
  EXPECT_EQ(volume(pod, "secret-injector-files")["emptyDir"]["sizeLimit"], "32Mi");
  EXPECT_EQ(sidecar(pod)["resources"],
            yaml("{requests: {cpu: 20m, memory: 32Mi}, limits: {memory: 128Mi, cpu: '1'}}\n"));
}

// --- who may read ----------------------------------------------------------------------------------------------------

TEST(Review, RunsAsTheUserThatAllReadersHave) {
  const Json pod = injected(
      labelled(kOne, "securityContext: {runAsUser: 1000, runAsGroup: 3000}\ncontainers: [{name: app}, {name: b}]\n"));
  EXPECT_EQ(sidecar(pod)["securityContext"]["runAsUser"], 1000);
  EXPECT_EQ(sidecar(pod)["securityContext"]["runAsGroup"], 3000);
  EXPECT_EQ(configuration(pod).files.at(0).mode, 0400U);
  EXPECT_FALSE(pod["spec"]["securityContext"].contains("supplementalGroups"));
}

TEST(Review, LetsTheGroupReadWhereTheUserIsNotKnown) {
  const Json pod = injected(labelled(kOne));
  EXPECT_EQ(pod["spec"]["securityContext"]["supplementalGroups"], Json({65532}));
  EXPECT_EQ(sidecar(pod)["securityContext"]["runAsGroup"], 65532);
  EXPECT_EQ(configuration(pod).files.at(0).mode, 0440U);
}

TEST(Review, LeavesItToAnFsGroupThatThePodHas) {
  const Json pod = injected(labelled(kOne, "securityContext: {fsGroup: 2000}\ncontainers: [{name: app}]\n"));
  EXPECT_EQ(pod["spec"]["securityContext"], Json({{"fsGroup", 2000}}));
  EXPECT_EQ(configuration(pod).files.at(0).mode, 0440U);
}

TEST(Review, KeepsGroupsThatThePodHas) {
  const Json pod = injected(labelled(
      kOne,
      "securityContext: {supplementalGroups: [7]}\ncontainers: [{name: app, securityContext: {runAsUser: 0}}]\n"));
  EXPECT_EQ(pod["spec"]["securityContext"]["supplementalGroups"], Json({7, 65532}));
}

TEST(Review, RefusesAModeThatNoReaderCouldRead) {
  const std::string told = refusal(labelled(
      std::string(kOne) + "mode: '0400'\n",
      "containers: [{name: app, securityContext: {runAsUser: 1}}, {name: b, securityContext: {runAsUser: 2}}]\n"));
  EXPECT_THAT(told, HasSubstr("let the group read it (mode 0440)"));
  const Verdict verdict = reviewed(labelled(std::string(kOne) + "mode: '0400'\n"));
  EXPECT_TRUE(verdict.allowed);
  EXPECT_THAT(verdict.warnings, ElementsAre(HasSubstr("set runAsUser")));
}

// --- signals ---------------------------------------------------------------------------------------------------------

TEST(Review, SharesProcessesForASignalAlone) {
  const char* spec = "securityContext: {runAsUser: 101}\ncontainers: [{name: app}]\n";
  const Json pod = injected(labelled(std::string(kOne) + "on-change: signal:HUP:nginx\n", spec));
  EXPECT_EQ(pod["spec"]["shareProcessNamespace"], true);
  const auto config = configuration(pod);
  EXPECT_EQ(std::get<SignalProcess>(config.files.at(0).on_change->how).process, "nginx");
  EXPECT_FALSE(injected(labelled(kOne, spec))["spec"].contains("shareProcessNamespace"));
}

TEST(Review, RefusesASignalThatWouldReachNobody) {
  const std::string signal = std::string(kOne) + "on-change: signal:HUP:nginx\n";
  EXPECT_THAT(refusal(labelled(signal)), HasSubstr("give all containers that see the files one runAsUser"));
  EXPECT_THAT(refusal(labelled(
                  signal, "securityContext: {runAsUser: 1}\nshareProcessNamespace: false\ncontainers: [{name: a}]\n")),
              HasSubstr("shareProcessNamespace, which the pod sets to false"));
  EXPECT_THAT(refusal(labelled(signal, "securityContext: {runAsUser: 1}\nhostPID: true\ncontainers: [{name: a}]\n")),
              HasSubstr("hostPID"));
}

// --- AWS -------------------------------------------------------------------------------------------------------------

TEST(Review, WiresARoleOfAwsByWebIdentity) {
  const Json pod =
      injected(labelled("store: aws\nrole: arn:aws:iam::111122223333:role/shop\nsecret.db: prod/db#password\n"));
  const Json& token = volume(pod, "secret-injector-identity")["projected"]["sources"][0]["serviceAccountToken"];
  EXPECT_EQ(token["audience"], "sts.amazonaws.com");
  EXPECT_EQ(variable(sidecar(pod), "AWS_ROLE_ARN"), "arn:aws:iam::111122223333:role/shop");
  EXPECT_EQ(variable(sidecar(pod), "AWS_WEB_IDENTITY_TOKEN_FILE"),
            "/run/secret-injector/" + token["path"].get<std::string>());
  EXPECT_EQ(variable(sidecar(pod), "AWS_ROLE_SESSION_NAME"), "$(POD_NAME)");
  const auto config = configuration(pod);
  EXPECT_THAT(std::get<config::AwsStore>(config.stores.at(0).kind).credentials,
              ElementsAre(config::AwsStore::Source::web_identity));
}

TEST(Review, WiresPodIdentityWhereThePolicySaysSo) {
  const Json pod = injected(labelled("secret.db: prod/db#password\n"),
                            policy("stores: { sm: { aws: { region: eu-central-1, identity: pod_identity } } }\n"));
  EXPECT_EQ(variable(sidecar(pod), "AWS_CONTAINER_CREDENTIALS_FULL_URI"), "http://169.254.170.23/v1/credentials");
  EXPECT_EQ(volume(pod, "secret-injector-identity")["projected"]["sources"][0]["serviceAccountToken"]["audience"],
            "pods.eks.amazonaws.com");
}

TEST(Review, TakesOverTheIdentityThatTheContainersWereGiven) {
  const char* spec = R"(
containers:
- name: app
  env:
  - {name: AWS_REGION, value: eu-central-1}
  - {name: AWS_ROLE_ARN, value: "arn:aws:iam::111122223333:role/shop"}
  - {name: AWS_WEB_IDENTITY_TOKEN_FILE, value: /var/run/secrets/eks.amazonaws.com/serviceaccount/token}
  - {name: AWS_SECRET_ACCESS_KEY, value: CANARY}
  volumeMounts:
  - {name: aws-iam-token, mountPath: /var/run/secrets/eks.amazonaws.com/serviceaccount, readOnly: true}
volumes: [{name: aws-iam-token, projected: {sources: []}}]
)";
  const Json pod = injected(labelled("store: aws\nsecret.db: prod/db#password\n", spec));
  EXPECT_EQ(variable(sidecar(pod), "AWS_ROLE_ARN"), "arn:aws:iam::111122223333:role/shop");
  EXPECT_EQ(variable(sidecar(pod), "AWS_REGION"), "eu-central-1");
  EXPECT_THAT(mounts(sidecar(pod), "aws-iam-token"), ElementsAre("/var/run/secrets/eks.amazonaws.com/serviceaccount"));
  EXPECT_THAT(sidecar(pod).dump(), Not(HasSubstr("CANARY")));
}

// --- older clusters, Jobs, hosts -------------------------------------------------------------------------------------

TEST(Review, UsesAnInitContainerAndASidecarBefore129) {
  const Json pod = injected(labelled(kOne), policy("native_sidecar: false\n"));
  ASSERT_EQ(pod["spec"]["initContainers"].size(), 1U);
  const Json& init = pod["spec"]["initContainers"][0];
  EXPECT_EQ(init["name"], "secret-injector-init");
  EXPECT_EQ(init["args"], Json({"init", "--handover", "/run/secret-injector-handover"}));
  EXPECT_EQ(sidecar(pod)["args"], Json({"run", "--handover", "/run/secret-injector-handover"}));
  EXPECT_EQ(volume(pod, "secret-injector-handover")["emptyDir"], Json({{"medium", "Memory"}, {"sizeLimit", "4Mi"}}));
  EXPECT_THAT(mounts(container(pod, "app"), "secret-injector-handover"), IsEmpty());
  EXPECT_FALSE(init.contains("restartPolicy"));
  EXPECT_EQ(pod["spec"]["containers"][1]["name"], "secret-injector");
  EXPECT_FALSE(pod["spec"]["containers"][1].contains("restartPolicy"));
  EXPECT_EQ(variable(init, "SECRET_INJECTOR_CONFIG"), variable(sidecar(pod), "SECRET_INJECTOR_CONFIG"));
}

TEST(Review, RefusesAJobThatWouldNeverEnd) {
  const char* job = "restartPolicy: Never\ncontainers: [{name: a}]\n";
  EXPECT_THAT(refusal(labelled(kOne, job), policy("native_sidecar: false\n")), HasSubstr("init-only"));
  EXPECT_TRUE(reviewed(labelled(kOne, job)).allowed);
  const Json pod =
      injected(labelled(std::string(kOne) + "init-only: 'true'\n", job), policy("native_sidecar: false\n"));
  EXPECT_EQ(pod["spec"]["initContainers"][0]["args"], Json({"init"}));
  EXPECT_EQ(pod["spec"]["containers"].size(), 1U);
}

TEST(Review, GivesAPodOnTheNodesNetworkAPortOfItsOwn) {
  const auto port = [](const char* name) {
    Json pod = labelled(kOne, "hostNetwork: true\ncontainers: [{name: a}]\n");
    pod["metadata"]["name"] = name;
    return configuration(injected(pod)).health;
  };
  EXPECT_EQ(port("a").host, "127.0.0.1");
  EXPECT_EQ(port("a").port, port("a").port);
  EXPECT_NE(port("a").port, port("b").port);
}

TEST(Review, RefusesAPortThatIsTaken) {
  EXPECT_THAT(refusal(labelled(kOne, "containers: [{name: a, ports: [{containerPort: 9909}]}]\n")),
              HasSubstr("health-port"));
}

// --- what is refused -------------------------------------------------------------------------------------------------

struct Wrong {
  const char* annotations;
  const char* told;
};

class Refused : public ::testing::TestWithParam<Wrong> {};

TEST_P(Refused, AtAdmissionWithASentence) {
  const std::string told = refusal(labelled(GetParam().annotations));
  EXPECT_THAT(told, HasSubstr(GetParam().told)) << told;
  EXPECT_THAT(told, Not(HasSubstr("CANARY")));
}

INSTANTIATE_TEST_SUITE_P(
    Review, Refused,
    ::testing::Values(
        Wrong{"sekret.db: CANARY\n",
              "sekret.db: there is no such annotation (did you mean \"secret.\"?); there are secret.FILE,"},
        Wrong{"refesh: CANARY\n", "(did you mean \"refresh\"?)"},
        Wrong{"inject: 'true'\nsecret.a: kv/a\n", "is a label, not an annotation"},
        Wrong{"status: injected\nsecret.a: kv/a\n", "is written by the webhook: remove it"},
        Wrong{"ca.vault: CANARY\n", "is written by the webhook"},
        Wrong{"tls-skip-verify: 'true'\n", "there is no such annotation"},
        Wrong{"role: shop\n", "no file is asked for"},
        Wrong{"secret.a: kv/a#b\n", "no role is named to log in to the store \"vault\""},
        Wrong{"role: r\nsecret.a: ''\n", "secret.a: must not be empty"},
        Wrong{"role: r\nsecret.: kv/a\n", "must have the name of a file after its dot"},
        Wrong{"role: r\nsecret.a: kv//a\n", "never two in a row"},
        Wrong{"role: r\nsecret.a: kv/../CANARY\n", "without \".\" and \"..\" as parts"},
        Wrong{"role: r\nsecret.a: 'kv/a#'\n", "must have a key after '#'"},
        Wrong{"role: r\nsecret.a: kv/a?version=CANARY\n", "must have a number after ?version="},
        Wrong{"role: r\nsecret.a: kv/a?x=CANARY\n", "after '?' may stand version=N"},
        Wrong{"role: r\nsecret.a: nowhere:kv/a\n",
              "has no store of the name before ':' for this namespace; it has vault, openbao, aws"},
        Wrong{"store: nowhere\nsecret.a: kv/a\n", "store: the policy has no such store"},
        Wrong{"provider: vaultt\nsecret.a: kv/a\n", "must be one of vault, openbao, aws"},
        Wrong{"store: vault\nprovider: vault\nsecret.a: kv/a\n", "remove one of the two"},
        Wrong{"role: r\nrole.aws: arn:x\nsecret.a: kv/a\n", "no file uses a store of this name"},
        Wrong{"store: aws\nrole: CANARY\nsecret.a: prod/a\n", "must be an ARN"},
        Wrong{"role: r\nnamespace: CANARY\nsecret.a: kv/a\n", "does not let pods name this namespace"},
        Wrong{"role: r\nsecret.a: kv/a\ntemplate.a: x\n", "remove one of the two"},
        Wrong{"role: r\nsecret.a: kv/a\nleft-delimiter.a: '[['\n", "goes with a template alone"},
        Wrong{"role: r\nmode.b: '0400'\nsecret.a: kv/a\n",
              "belongs to a file that is not asked for: add secret-injector.io/secret.b"},
        Wrong{"role: r\nsecret.a: kv/a\nmode.a: '0777'\n", "mode.a: must let nobody but its owner write"},
        Wrong{"role: r\nsecret.a: kv/a\nformat.a: toml\n", "must be one of raw, json"},
        Wrong{"role: r\nsecret.a: kv/a\npath.a: ../CANARY\n", "path.a: "},
        Wrong{"role: r\nsecret.a: kv/a\nsecret.b: kv/b\npath.b: a\n",
              "its file is also that of secret-injector.io/secret.a"},
        Wrong{"role: r\nsecret.a: kv/a\nsecret.b: kv/b\npath.b: a/b\n", "stands in the way of"},
        Wrong{"role: r\nsecret.a: 'kv/a#b, kv/c'\n", "say which format by secret-injector.io/format.a"},
        Wrong{"role: r\nsecret.a: kv/a\nrefresh: soon\n", "refresh: must be a duration"},
        Wrong{"role: r\nsecret.a: kv/a\nmax-stale: 1h never\n", "must say serve, warn, unready or remove"},
        Wrong{"role: r\nsecret.a: kv/a\non-change: sh -c CANARY\n",
              "must be none, signal:NAME:PROCESS or http:127.0.0.1:PORT/PATH"},
        Wrong{"role: r\nsecret.a: kv/a\non-change: http:10.0.0.1/CANARY\n", "must be a URL on loopback"},
        Wrong{"role: r\nsecret.a: kv/a\non-change: signal:HUP\n", "must name the process"},
        Wrong{"role: r\nsecret.a: kv/a\ndata.a: password=CANARY\n", "no secret may stand in an annotation"},
        Wrong{"role: r\nsecret.a: kv/a\nmount-path: /etc/../CANARY\n", "mount-path: must be a path without"},
        Wrong{"role: r\nsecret.a: kv/a\nmount-path: /proc\n", "must not be a place of the system"},
        Wrong{"role: r\nsecret.a: kv/a\ncontainers: ap\n",
              "the pod has no container of a name in the list of containers (did you mean \"app\"?)"},
        Wrong{"role: r\nsecret.a: kv/a\nimage: evil.example/CANARY\n", "the policy allows no such image"},
        Wrong{"role: r\nsecret.a: kv/a\nresources: cpu=1\n", "must be pairs such as requests.cpu=20m"},
        Wrong{"role: r\nsecret.a: kv/a\nresources: limits.cpu=lots\n", "limits.cpu must be a quantity"},
        Wrong{"role: r\nsecret.a: kv/a\nsize-limit: 1k\n", "must be a quantity from 64Ki on"},
        Wrong{"role: r\nsecret.a: kv/a\nhealth-port: '80'\n", "must be a port from 1024"},
        Wrong{"role: r\nsecret.a: kv/a\nlog-level: loud\n", "must be one of debug, info, warn, error"},
        Wrong{"role: r\nsecret.a: kv/a\ninit-only: yes please\n", "must be \"true\" or \"false\""},
        Wrong{"role: r\nsecret.a: kv/a\nrequire: noswop\n", "must be words of noswap"}));

TEST(Review, TellsAllMistakesAtOnce) {
  const std::string told = refusal(labelled("refesh: 1m\nmode: '9'\nsecret.a: kv//a\n"));
  EXPECT_EQ(std::ranges::count(told, '\n'), 2) << told;
}

TEST(Review, RefusesALabelOfAnotherValue) {
  Json pod = labelled(kOne);
  pod["metadata"]["labels"]["secret-injector.io/inject"] = "yes";
  EXPECT_THAT(refusal(pod), HasSubstr("must be \"true\" or \"false\""));
}

TEST(Review, RefusesNamesAndMountsThatAreItsOwn) {
  EXPECT_THAT(refusal(labelled(kOne, "containers: [{name: secret-injector}]\n")),
              HasSubstr("a name of the injector's: rename it"));
  EXPECT_THAT(refusal(labelled(kOne, "containers: [{name: a}]\nvolumes: [{name: secret-injector-files}]\n")),
              HasSubstr("rename it"));
  EXPECT_THAT(
      refusal(labelled(
          kOne, "containers: [{name: a, volumeMounts: [{name: secret-injector-files, mountPath: /x, subPath: p}]}]\n")),
      HasSubstr("without subPath, which would never see a change"));
  EXPECT_THAT(
      refusal(labelled(
          kOne,
          "containers: [{name: a, volumeMounts: [{name: v, mountPath: /run/secrets/app/}]}]\nvolumes: [{name: v}]\n")),
      HasSubstr("choose another secret-injector.io/mount-path"));
}

TEST(Review, RefusesAMarkThatSomebodyElseMade) {
  Json pod = labelled(kOne);
  pod["metadata"]["annotations"]["secret-injector.io/status"] = "injected";
  EXPECT_THAT(refusal(pod), HasSubstr("is written by the webhook: remove it"));
}

TEST(Review, KeepsStoresToTheirNamespaces) {
  const Policy given = policy(
      "stores: { v: { vault: { address: https://v.example, roles: [\"shop-*\"] }, pod_namespaces: [other, \"sho*\"] } "
      "}\n");
  EXPECT_TRUE(reviewed(labelled("role: shop-a\nsecret.a: kv/a\n"), given).allowed);
  EXPECT_THAT(refusal(labelled("role: admin\nsecret.a: kv/a\n"), given), HasSubstr("does not let pods name this role"));
  EXPECT_FALSE(review(labelled("role: shop-a\nsecret.a: kv/a\n"), "elsewhere", given).allowed);
}

TEST(Review, RefusesPodsForWindows) {
  EXPECT_THAT(refusal(labelled(kOne, "os: {name: windows}\ncontainers: [{name: a}]\n")), HasSubstr("Windows"));
}

// --- templates -------------------------------------------------------------------------------------------------------

TEST(Review, ChecksTemplatesAtAdmission) {
  const std::string told =
      refusal(labelled("role: r\ntemplate.a: |\n  {{ with secret \"kv/a\" }}\n  {{ nosuch .Data }}{{ end }}\n"));
  EXPECT_THAT(told, HasSubstr("secret-injector.io/template.a: line 2: "));
  EXPECT_THAT(told, HasSubstr("nosuch"));
}

TEST(Review, LetsATemplateDrawFromSeveralStores) {
  const Json pod = injected(labelled(
      "role: r\ntemplate.a: '{{ with secret \"kv/a\" }}{{ .Data.data.x }}{{ end }}{{ with secret \"aws:prod/b\" }}{{ "
      ".Data.y }}{{ end }}'\n"));
  const auto config = configuration(pod);
  EXPECT_NE(config.store("aws"), nullptr);
  EXPECT_NE(config.store("vault"), nullptr);
  EXPECT_THAT(refusal(labelled("store: aws\ntemplate.a: '{{ range secrets \"kv\" }}{{ . }}{{ end }}'\n")),
              HasSubstr("only a store of vault or openbao can list"));
}

TEST(Review, PassesOnATemplate) {
  const Json pod = injected(
      labelled("role: r\ntemplate.a: |\n  {{ with secret \"kv/data/a\" }}{{ .Data.data.password }}{{ end }}\n"));
  EXPECT_THAT(variable(sidecar(pod), "SECRET_INJECTOR_CONFIG"), HasSubstr(".Data.data.password"));
  EXPECT_EQ(configuration(pod).files.size(), 1U);
}

// --- the reference
// -----------------------------------------------------------------------------------------------------

TEST(Readme, HasEveryAnnotation) {
  const std::string text = *scanner::base::read_file(std::string(PROJECT_ROOT) + "/injector/pod/README.md", 1UL << 20);
  for (const auto& each : annotations()) {
    std::string name(each.name);
    if (name == "role." || name == "ca.") {
      name += "STORE";
    } else if (name.ends_with('.')) {
      name += "FILE";
    }
    EXPECT_THAT(text, HasSubstr("`" + name + "`")) << name;
  }
}

TEST(Readme, ShowsAPolicyThatIsOne) {
  const std::string text = *scanner::base::read_file(std::string(PROJECT_ROOT) + "/injector/pod/README.md", 1UL << 20);
  const auto begin = text.find("```yaml\nimage: ") + 8;
  const auto read = parse_policy(text.substr(begin, text.find("```", begin) - begin), "README.md");
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->stores.size(), 2U);
}

}  // namespace
}  // namespace injector::pod
