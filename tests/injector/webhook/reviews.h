#pragma once

#include <string>

/// Reviews as the API server sends them.
namespace tests {

inline constexpr const char* kUid = "705ab4f5-6393-11e8-b7cc-42010a800002";

/// A review of a pod that is about to be made: `object` is JSON.
inline std::string review_of(const std::string& object, const std::string& operation = "CREATE",
                             const std::string& kind = R"({"group":"","version":"v1","kind":"Pod"})") {
  return R"({"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":")" + std::string(kUid) +
         R"(","kind":)" + kind +
         R"(,"resource":{"group":"","version":"v1","resource":"pods"},"requestKind":{"group":"","version":"v1","kind":"Pod"},"namespace":"shop","operation":")" +
         operation +
         R"(","userInfo":{"username":"system:serviceaccount:kube-system:replicaset-controller","groups":["a","b"]},"object":)" +
         object +
         R"(,"oldObject":null,"dryRun":false,"options":{"kind":"CreateOptions","apiVersion":"meta.k8s.io/v1"}}})";
}

/// A pod that asks for one secret.
inline std::string pod_that_asks() {
  return R"({"kind":"Pod","apiVersion":"v1","metadata":{"generateName":"api-","namespace":"shop",)"
         R"("labels":{"secret-injector.io/inject":"true"},)"
         R"("annotations":{"secret-injector.io/secret.db":"vault:secret/shop/db#password","secret-injector.io/role":"shop"},)"
         R"("managedFields":[{"manager":"kubectl","fieldsV1":{"f:metadata":{"f:a":{}}}}]},)"
         R"("spec":{"serviceAccountName":"api","containers":[{"name":"api","image":"api:1","resources":{}}]}})";
}

}  // namespace tests
