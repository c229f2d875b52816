#include "injector/webhook/admission.h"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "injector/pod/review.h"
#include "injector/webhook/message.h"
#include "scanner/base/json.h"

namespace injector::webhook {
namespace {

using scanner::base::Errc;

bool is_made_of(std::string_view text, std::string_view letters) {
  return text.find_first_not_of(letters) == std::string_view::npos;
}

constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz0123456789-";

bool is_uid(std::string_view text) { return text.size() == 36 && is_made_of(text, "0123456789abcdef-"); }
bool is_namespace(std::string_view text) { return !text.empty() && text.size() <= 63 && is_made_of(text, kLower); }

Admission refused(int status, std::string_view why) {
  Admission out;
  out.status = status;
  out.ending = Ending::malformed;
  out.body = write_status(status, why);
  return out;
}

int status_of(Errc code) { return code == Errc::limit ? 413 : 400; }

/// What is to be said of a pod that is about to be made.
std::pair<Reply, Ending> review_pod(const Question& question, const pod::Policy& policy) {
  Reply reply;
  if (!question.object.is_object()) {
    reply.allowed = false;
    reply.code = 400;
    reply.message = "the review holds no pod: request.object is missing";
    return {reply, Ending::denied};
  }
  try {
    pod::Verdict verdict = pod::review(question.object, question.pod_namespace, policy);
    reply.allowed = verdict.allowed;
    reply.message = std::move(verdict.message);
    reply.warnings = std::move(verdict.warnings);
    if (verdict.allowed && !verdict.patch.empty()) reply.patch = scanner::base::dump_json(verdict.patch);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception&) {
    reply.allowed = false;
    reply.code = 500;
    reply.message = "secret-webhook met a defect of its own with this pod; its log and a bug report are of more use";
    return {reply, Ending::failed};
  }
  if (!reply.allowed) return {reply, Ending::denied};
  return {reply, reply.patch.empty() ? Ending::unchanged : Ending::patched};
}

}  // namespace

std::string_view to_string(Ending ending) {
  switch (ending) {
    case Ending::patched:
      return "patched";
    case Ending::unchanged:
      return "unchanged";
    case Ending::denied:
      return "denied";
    case Ending::malformed:
      return "malformed";
    case Ending::failed:
      return "failed";
  }
  return "failed";
}

Admission admit(std::string_view body, const pod::Policy& policy) {
  const auto question = read_question(body);
  if (!question) return refused(status_of(question.error().code()), question.error().message());
  Reply reply;
  Admission out;
  if (question->is_new_pod()) {
    std::tie(reply, out.ending) = review_pod(*question, policy);
  } else if (question->kind != "Pod" || !question->group.empty()) {
    reply.warnings.emplace_back("secret-webhook changes pods alone; the object was let through as it is");
  }
  out.body = write_reply(question->uid, reply);
  if (is_uid(question->uid)) out.uid = question->uid;
  if (is_namespace(question->pod_namespace)) out.pod_namespace = question->pod_namespace;
  out.kind = question->kind == "Pod" && question->group.empty() ? "Pod" : "other";
  return out;
}

}  // namespace injector::webhook
