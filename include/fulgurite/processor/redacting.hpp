// A processor that takes out of spans what must not leave the process, and hands the rest to the next one.
//
//   fg::tracer tracer{resource, sampler, exporter, fg::w3c_propagator{},
//                     fg::redacting{fg::redaction_rules{"password, *.token, detect:card, detect:url"}}};
//
// It goes through every text of a span: its name, attributes (in the keys that are made at run time, in arrays, maps
// and bytes, in whole numbers by their digits), events, links, trace state and description of the status; and through
// the resource and the scope. An error's message and stack trace are attributes of its event. A span in which nothing
// is found is only read.
//
// Not covered: what `get_last_trace()` keeps, which stays in the process and is the original; and baggage, which
// travels in headers and not in spans. Values are cut to their greatest length afterwards: half a secret would not be
// recognised by its form. Without memory to redact a span in, the span is dropped and counted.
#pragma once

#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/processor/decorator.hpp>
#include <fulgurite/processor/redaction/redactor.hpp>

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace fulgurite {
inline namespace v1 {

/// A processor that changes spans by rules before the next one has them.
template <redaction_policy Rules, processor Next = batch_processor<>>
class redacting : public processor_decorator<Next> {
 public:
  /// `key` is that of hashes; a random one's are of use within this process only.
  explicit redacting(Rules rules, Next next = {}, std::optional<redaction_key> key = redaction_key::random())
      : processor_decorator<Next>(std::move(next)),
        redactor_(std::make_unique<detail::redactor<Rules>>(std::move(rules), key)),
        has_key_(key.has_value()) {}

  void start(std::shared_ptr<export_target> target) {
    if constexpr (requires(Rules const& rules) { rules.problems(); })
      for (auto const& problem : redactor_->rules().problems())
        detail::log(log_level::error, "every text of a span is masked, because a redaction rule is wrong: " +
                                          problem.rule + ": allowed is " + problem.allowed);
    if (!has_key_ && hashes())
      detail::log(log_level::warn, "there is no key to hash with; what is to be hashed is masked");
    target_ = target.get();  // not kept alive from here: the tracer's pipeline owns both
    this->next().start(std::move(target));
  }

  void process(record_view const& record) noexcept {
    const std::byte* redacted = nullptr;
    try {
      redacted = redactor_->apply(record);
    } catch (...) {
      detail::log(log_level::error, "no memory to redact a span; it is dropped", "redaction memory");
      if (record.sampled() && target_) target_->count_dropped(drop_cause::queue_full, 1);
      return;
    }
    const record_view whole(redacted);
    const bool cut = target_ && !detail::cuts_values(this->next());
    this->next().process(cut ? target_->cut_values(whole) : whole);
  }
  bool cuts_values() const noexcept { return true; }
  /// Called with what goes out beside the spans, when it is set. Throws std::bad_alloc.
  void redact_resource(resource& of) const {
    redactor_->apply(of);
    processor_decorator<Next>::redact_resource(of);
  }
  void redact_scope(instrumentation_scope& of) const {
    redactor_->apply(of);
    processor_decorator<Next>::redact_scope(of);
  }

 private:
  bool hashes() const noexcept {
    if constexpr (requires(Rules const& rules) { rules.uses(redaction_action::hash); })
      return redactor_->rules().uses(redaction_action::hash);
    else
      return true;
  }

  std::unique_ptr<detail::redactor<Rules>> redactor_;
  export_target* target_ = nullptr;
  bool has_key_;
};

template <class Rules>
redacting(Rules) -> redacting<Rules>;
template <class Rules, class Next>
redacting(Rules, Next) -> redacting<Rules, Next>;
template <class Rules, class Next>
redacting(Rules, Next, std::optional<redaction_key>) -> redacting<Rules, Next>;

}  // namespace v1
}  // namespace fulgurite
