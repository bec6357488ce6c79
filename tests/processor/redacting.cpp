#include <fulgurite/processor/redacting.hpp>

#include <fulgurite/any_tracer.hpp>
#include <fulgurite/processor/redaction_rules.hpp>

#include "../tracing.hpp"

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace fg = fulgurite;
using namespace fulgurite_test;
using namespace fg::literals;

namespace {

/// Every text that is exported, one after the other.
std::string all_texts(fg::memory_exporter const& store) {
  const std::vector<fg::span_data> spans = store.spans();
  return fg::to_otlp_json(spans);
}

void make_spans(auto& tracer) {
  auto span = tracer.trace_context("mail to a@b.cc", "pan"_a = std::string("4111111111111111"), "password"_a = 1);
  span.set_attribute("db.password", "hunter2");
  span.add_event("authorised", {{"who", "a@b.cc"}});
  span.record_exception(std::runtime_error("no route to https://u:hunter2@h/"));
}

}  // namespace

TEST_CASE("nothing of what the rules hit is exported; the last trace is the original") {
  fg::memory_exporter store;
  fg::tracer tracer{fg::resource{.service_name = "s", .attributes = {{"owner", "a@b.cc"}}}, fg::always_on_sampler{},
                    store, fg::w3c_propagator{}, fg::redacting{fg::redaction_rules{"*password, detect:all"}}};
  make_spans(tracer);
  CHECK(tracer.force_flush(std::chrono::seconds(60)));
  const std::string exported = all_texts(store);
  for (const char* secret : {"a@b.cc", "4111111111111111", "hunter2"}) {
    INFO(secret);
    CHECK(exported.find(secret) == std::string::npos);
  }
  const fg::span_data span = only(store.spans(), "mail to ***");
  CHECK(has(span, "password", "***"));
  REQUIRE(span.events.size() == 2);
  CHECK(has(span.events[1].attributes, "exception.message", "no route to https://***@h/"));
  CHECK(has(span.resource->attributes, "owner", "***"));

  const auto last = tracer.get_last_trace();
  REQUIRE(last.size() == 1);
  CHECK(last[0].name == "mail to a@b.cc");
  CHECK(has(last[0].resource->attributes, "owner", "a@b.cc"));
  check_accounts(tracer.stats());
}

TEST_CASE("a secret that a limit cuts in two is found first; what stands for it is cut, too") {
  for (const bool erased : {false, true}) {
    fg::memory_exporter store;
    fg::tracer_options options;
    options.limits.attribute_value_length = 10;
    options.limits.attribute_count = 3;
    const fg::redaction_rules rules("password=hash, detect:card");
    const auto check = [&](auto&& tracer) {
      {
        auto span = tracer.trace_context("pay", "pan"_a = std::string("card 4111111111111111"));
        span.set_attribute("password", "hunter2, which is long");
        span.set_attribute("note", "of more than ten characters");
        span.set_attribute("fourth", 4);
        span.add_event("paid", {{"pan", "card 4111111111111111"}});
      }
      CHECK(tracer.force_flush(std::chrono::seconds(60)));
      const fg::span_data span = only(store.spans(), "pay");
      CHECK(has(span, "pan", "card ***"));
      const fg::attribute_value* const hash = value_of(span.attributes, "password");
      REQUIRE(hash);
      CHECK(std::get<std::string>(*hash).starts_with("hash:"));
      CHECK(std::get<std::string>(*hash).size() == 10);
      CHECK(has(span, "note", "of more th"));
      CHECK(span.attributes.size() == 3);
      CHECK(span.dropped_attributes_count == 1);
      CHECK(has(span.events.at(0).attributes, "pan", "card ***"));
      const auto last = tracer.get_last_trace();
      REQUIRE(last.size() == 1);
      CHECK(has(last[0], "pan", "card 41111"));
      CHECK(last[0].attributes.size() == 3);
    };
    if (erased)
      check(fg::any_tracer{fg::resource{}, fg::always_on_sampler{}, store, fg::w3c_propagator{},
                           fg::any_processor(fg::redacting{rules}), options});
    else
      check(fg::tracer{fg::resource{}, fg::always_on_sampler{}, store, fg::w3c_propagator{},
                       fg::redacting{rules, fg::redacting{fg::redaction_rules("detect:email")}}, options});
  }
}

TEST_CASE("before any processor, erased too; whatever is set of the resource later") {
  for (const bool inline_one : {false, true}) {
    fg::memory_exporter store;
    const fg::redaction_rules rules("detect:email");
    fg::any_processor held = inline_one
                                 ? fg::any_processor(fg::redacting{rules, fg::inline_processor{}})
                                 : fg::any_processor(fg::redacting{
                                       rules, fg::batch_processor{fg::batch_options{
                                                  .max_batch_size = 2, .schedule_delay = std::chrono::hours(1)}}});
    CHECK(held.is_inline() == inline_one);
    fg::tracer_options options;
    options.scope = {"lib", "of a@b.cc", {}};
    fg::any_tracer tracer{fg::resource{.service_name = "a@b.cc"},
                          fg::always_on_sampler{},
                          store,
                          fg::w3c_propagator{},
                          std::move(held),
                          options};
    tracer.init_worker("worker a@b.cc");
    for (int i = 0; i < 5; ++i) auto span = tracer.trace_context("to a@b.cc");
    CHECK((store.spans().size() == 5) == inline_one);  // the fifth is no full batch
    CHECK(tracer.force_flush(std::chrono::seconds(60)));
    REQUIRE(store.spans().size() == 5);
    const fg::span_data span = store.spans()[0];
    CHECK(span.name == "to ***");
    CHECK(span.resource->service_name == "***");
    CHECK(has(span.resource->attributes, "agentlightning.worker_id", "worker ***"));
    CHECK(span.scope->version == "of ***");
    CHECK(span.scope->name == "lib");
    check_accounts(tracer.stats());
    CHECK(tracer.shutdown(std::chrono::seconds(60)));
  }
}

TEST_CASE("rules of one's own, detectors at compile time, one redaction after the other") {
  struct no_visa {
    fg::redaction_action action_of_key(std::string_view) const noexcept { return fg::redaction_action::none; }
    bool concerns(std::string_view text) const noexcept { return text.find("visa") != text.npos; }
    void find(std::string_view text, fg::redaction_hits& hits) const {
      for (std::size_t at = text.find("visa"); at != text.npos; at = text.find("visa", at + 4))
        hits.add({at, at + 4}, fg::redaction_action::mask);
    }
  };
  fg::memory_exporter store;
  fg::tracer tracer{
      fg::resource{.service_name = "visa of a@b.cc"}, fg::always_on_sampler{}, store, fg::w3c_propagator{},
      fg::redacting{no_visa{}, fg::redacting{fg::redact_detected<fg::email_detector>{}, fg::inline_processor{}}}};
  {
    auto span = tracer.trace_context("visa, a@b.cc, visa");
  }
  const fg::span_data span = only(store.spans(), "***, ***, ***");
  CHECK(span.resource->service_name == "*** of ***");
}

TEST_CASE("the hash's key is the one given") {
  fg::memory_exporter store;
  fg::tracer tracer{fg::resource{}, fg::always_on_sampler{}, store, fg::w3c_propagator{},
                    fg::redacting{fg::redaction_rules{"id=hash"}, fg::inline_processor{},
                                  fg::redaction_key::from_hex("000102030405060708090a0b0c0d0e0f")}};
  {
    auto span = tracer.trace_context("s", "id"_a = "");
  }
  CHECK(has(only(store.spans(), "s"), "id", "hash:310e0edd47db6f72"));  // of the empty text, as openssl prints it
}

TEST_CASE("a wrong rule is said, and masks everything") {
  log_capture log;
  fg::memory_exporter store;
  fg::tracer tracer{fg::resource{}, fg::always_on_sampler{}, store, fg::w3c_propagator{},
                    fg::redacting{fg::redaction_rules{"detect:crad"}, fg::inline_processor{}}};
  {
    auto span = tracer.trace_context("to a@b.cc");
  }
  CHECK(log.count("detect:crad: allowed is after detect: one of all, url") == 1);
  CHECK(store.spans().at(0).name == "***");
}

TEST_CASE("it is a processor like the one behind it") {
  using batch = fg::redacting<fg::redact_nothing>;
  using direct = fg::redacting<fg::redact_nothing, fg::inline_processor>;
  CHECK(fg::check_processor<batch>());
  CHECK(fg::check_processor<direct>());
  static_assert(!batch::exports_inline && direct::exports_inline);
  batch unstarted{fg::redact_nothing{}};
  CHECK(unstarted.flush({}));
  CHECK(unstarted.shutdown({}));
  CHECK(unstarted.queued() == 0);
}
