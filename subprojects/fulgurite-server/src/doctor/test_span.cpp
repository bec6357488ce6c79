#include "test_span.hpp"

#include "cause.hpp"

#include <fulgurite/backends.hpp>
#include <fulgurite/context/quiet_thread.hpp>

#include <future>
#include <mutex>
#include <string_view>
#include <utility>

namespace fulgurite_server {
namespace {

using namespace fulgurite::literals;

thread_local std::vector<std::string>* hearing = nullptr;

struct log_elsewhere {
  std::mutex mutex;
  std::vector<std::string> said;
};
/// Never destroyed: what is left behind may have something to say at the end.
log_elsewhere& elsewhere() {
  static auto* const all = new log_elsewhere;
  return *all;
}

/// Keeps a copy of the records.
class keeping_exporter {
 public:
  explicit keeping_exporter(std::shared_ptr<test_span> to) : to_(std::move(to)) {}

  fulgurite::export_result export_spans(fulgurite::span_batch const& batch) {
    batch.for_each([&](fulgurite::record_view const& record) {
      to_->trace = record.trace_id();
      to_->span = record.span_id();
      to_->records.append(record);
    });
    to_->resource = batch.shared_resource();
    to_->scope = batch.shared_scope();
    return fulgurite::export_result::success;
  }
  bool flush(fulgurite::deadline) noexcept { return true; }
  bool shutdown(fulgurite::deadline) noexcept { return true; }

 private:
  std::shared_ptr<test_span> to_;
};

/// A log line without what the report says anyway: which exporter, that it failed, where it sent, that it was hurried.
std::string reason_of(std::string_view said) {
  if (const std::size_t hurried = said.find(" (the program ended, or shut"); hurried != std::string_view::npos)
    said = said.substr(0, hurried);
  for (const std::string_view before : {"not delivered: ", "not written: ", "cannot be printed: "})
    if (const std::size_t at = said.find(before); at != std::string_view::npos) {
      said = said.substr(at + before.size());
      return std::string(said.starts_with("no token") ? said : without_address(said));
    }
  const std::size_t colon = said.find(": ");
  return std::string(colon == std::string_view::npos ? said : said.substr(colon + 2));
}

/// Runs it on a thread of its own. One that does not heed its time limit, and not `interrupt` either, is left behind.
template <class Work>
outcome in_time(std::shared_ptr<fulgurite::any_exporter> const& exporter, fulgurite::deadline until, Work work) {
  auto result = std::make_shared<std::promise<outcome>>();
  std::future<outcome> done = result->get_future();
  fulgurite::detail::quiet_thread([result, exporter, work = std::move(work)]() noexcept {
    try {
      result->set_value(work());
    } catch (std::exception const& error) {
      result->set_value({.reason = error.what()});
    }
  }).detach();
  if (done.wait_until(until) == std::future_status::ready) return done.get();
  exporter->interrupt();
  if (done.wait_for(std::chrono::seconds(1)) != std::future_status::ready)
    return {.reason = "no answer within the time limit"};
  outcome late = done.get();
  if (!late.good) late.reason = "no answer within the time limit";
  return late;
}

}  // namespace

std::shared_ptr<const test_span> make_test_span(fulgurite::tracer_config const& config) {
  namespace detail = fulgurite::detail;
  auto made = std::make_shared<test_span>();
  {
    const fulgurite::any_tracer tracer(detail::make_resource(config), fulgurite::always_on_sampler{},
                                       keeping_exporter(made), fulgurite::noop_propagator{},
                                       detail::make_processor(config), detail::make_options(config));
    auto span = tracer.start_span("fulgurite.doctor", {.parent = fulgurite::root}, "fulgurite.test"_a = true,
                                  "fulgurite.message"_a = "sent by `fulgurite doctor` to see whether spans arrive");
    span.end();
  }  // delivers
  return made->records.spans() == 1 ? made : nullptr;
}

outcome ask_health(std::shared_ptr<fulgurite::any_exporter> const& exporter, fulgurite::deadline until) {
  return in_time(exporter, until + std::chrono::milliseconds(100), [exporter, until]() -> outcome {
    fulgurite::health_report report = exporter->check_health(until);
    return {report.reachable, std::move(report.reason), report.latency};
  });
}

outcome deliver(std::shared_ptr<fulgurite::any_exporter> const& exporter, std::shared_ptr<const test_span> const& span,
                fulgurite::deadline until) {
  return in_time(exporter, until, [exporter, span, until]() -> outcome {
    std::vector<std::string> heard;
    hearing = &heard;
    exporter->hurry();  // one attempt
    const auto start = std::chrono::steady_clock::now();
    const fulgurite::batch_outcome sent = exporter->export_spans(span->batch());
    const bool flushed = exporter->flush(until);
    hearing = nullptr;
    outcome made{sent.is_success() && flushed, {}, std::chrono::steady_clock::now() - start};
    if (!made.good) made.reason = heard.empty() ? "the exporter gives no reason" : reason_of(heard.back());
    return made;
  });
}

void listen_to_log() {
  fulgurite::set_log_handler([](fulgurite::log_level level, std::string_view text) {
    if (hearing) {
      if (level >= fulgurite::log_level::warn) hearing->emplace_back(text);
      return;
    }
    if (level < fulgurite::log_level::warn) return;
    const std::lock_guard lock(elsewhere().mutex);
    elsewhere().said.emplace_back(text);
  });
  // Whatever TRACER_LOG_LEVEL says: it is what explains a failure.
  fulgurite::detail::set_log_level("warn");
}

std::vector<std::string> heard_elsewhere() {
  const std::lock_guard lock(elsewhere().mutex);
  return std::exchange(elsewhere().said, {});
}

}  // namespace fulgurite_server
