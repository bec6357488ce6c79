// A small agent that answers questions about real texts, every step of it traced.
//
//     agent [folder [question...]]
//
// It reads some licences (agent/texts, or the files of a folder), keeps them in SQLite, trains a language model on
// them, and answers: by a search, by counting, or by fetching a whole document from a service that it runs itself. One
// of the documents that it is asked for does not exist; the trace shows how it fails and what the agent does then.
//
// Which backend gets the trace is the environment's choice: TRACER_TYPE=opentelemetry OTEL_TRACES_EXPORTER=console
// shows it here.
#include "agent/library.hpp"
#include "agent/ngram.hpp"
#include "agent/service.hpp"
#include "agent/tracing.hpp"

#include <fulgurite/backends.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#ifndef AGENT_TEXTS
#define AGENT_TEXTS "examples/agent/texts"
#endif

namespace fg = fulgurite;
using namespace fg::literals;
using agent::library;
using agent::ngram_model;
using agent::tracer;
using namespace std::literals;

namespace {

/// The words of a question that say what it is about.
std::vector<std::string> key_words(std::string_view question) {
  static const std::vector<std::string> empty{"what",      "which", "does",  "under", "about", "document",
                                              "documents", "most",  "often", "speak", "with",  "begin",
                                              "when",      "have",  "must",  "stands"};
  std::vector<std::string> words;
  std::string word;
  for (const char c : std::string(question) + ' ') {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      continue;
    }
    if (word.size() > 3 && std::ranges::find(empty, word) == empty.end()) words.push_back(word);
    word.clear();
  }
  return words;
}

/// How many of the words a text has.
std::ptrdiff_t shared_words(std::vector<std::string> const& asked, std::string_view text) {
  const std::vector<std::string> said = key_words(text);
  return std::ranges::count_if(asked, [&](auto const& word) { return std::ranges::find(said, word) != said.end(); });
}

/// The one that shares most words with the question; the first of several.
std::string const& best_of(std::vector<std::string> const& texts, std::string_view question) {
  const auto shared = [asked = key_words(question)](std::string const& text) { return shared_words(asked, text); };
  return *std::ranges::max_element(texts, {}, shared);
}

/// What stands between quotation marks; empty where nothing does.
std::string quoted(std::string const& question) {
  const std::size_t quote = question.find('"');
  return quote == question.npos ? "" : question.substr(quote + 1, question.rfind('"') - quote - 1);
}

std::vector<std::string> sentences_of(std::string_view passage) {
  std::vector<std::string> sentences;
  while (!passage.empty()) {
    const std::string_view sentence = passage.substr(0, passage.find(". "));
    sentences.emplace_back(sentence);
    passage.remove_prefix(std::min(passage.size(), sentence.size() + 2));
  }
  return sentences;
}

/// The span of a tool's work, `<tool>.tool`.
auto tool_span(fg::span_name name, std::string const& input) {
  return tracer.trace_context(
      name, "agentops.span.kind"_a = "tool",
      "tool.name"_a = [&] { return name.view().substr(0, name.view().rfind('.')); }, "tool.parameters"_a = input);
}

class librarian {
 public:
  librarian(library& books, ngram_model const& model, int port) : books_(books), model_(model), port_(port) {}

  std::string answer(std::string const& question) {
    auto span =
        tracer.trace_context("answer.task", "agentops.span.kind"_a = "task", "agentops.task.input"_a = question);
    std::string reply;
    if (question.starts_with("Which documents"))
      reply = count(key_words(question).back());
    else {
      std::vector<std::string> passages;
      if (const std::string title = quoted(question); !title.empty()) {
        auto tool = tool_span("fetch.tool", title);
        try {
          const std::string text = agent::fetch(port_, title);
          tool.set_attribute("tool.result.size", text.size());
          passages = agent::passages_of(text);
        } catch (std::exception const& error) {
          // The failure is the tool's; what is done about it belongs to the task.
          tool.record_exception(error);
          tool.set_status(fg::status_code::error, "the document was not fetched");
          span.add_link(tool.context(), {{"reason", "the tool that failed"}});
          span.add_event("fell back to search", {{"tool.name", "fetch"}});
        }
      }
      if (passages.empty()) passages = search(question);
      reply = complete(question, passages);
    }
    span.set_attribute("agentops.task.output", reply);
    return reply;
  }

 private:
  std::string count(std::string const& word) {
    auto span = tool_span("count.tool", word);
    const std::vector<library::row> found = books_.count(word);
    span.set_attribute("tool.result.size", found.size());
    std::string reply = "The word \"" + word + "\" is in passages of:";
    for (auto const& [title, count] : found) reply += " " + title + " (" + count + ")";
    return reply;
  }

  std::vector<std::string> search(std::string const& question) {
    auto span = tool_span("search.tool", question);
    std::vector<std::string> passages;
    for (auto const& found : books_.search(key_words(question), 3)) passages.push_back(found.text);
    span.set_attribute("tool.result.size", passages.size());
    return passages;
  }

  /// Lets the model answer from the passage that has most to do with the question.
  std::string complete(std::string const& question, std::vector<std::string> const& passages) {
    if (passages.empty()) return "Nothing was found.";
    std::string text = ask_model(best_of(passages, question) + " .", question);
    reward(question, text);
    return text;
  }

  /// A call of the language model, named and described as AgentOps and Agent Lightning look for it.
  std::string ask_model(std::string const& passage, std::string const& question) {
    auto span = tracer.trace_context("openai.chat.completion", "gen_ai.system"_a = "ngram",
                                     "gen_ai.request.model"_a = "trigram", "gen_ai.request.max_tokens"_a = max_tokens);
    const std::vector<ngram_model::token> prompt = model_.encode(passage + " " + question);
    std::vector<ngram_model::token> start = model_.encode(best_of(sentences_of(passage), question));
    start.resize(std::min<std::size_t>(start.size(), 3));
    const std::vector<ngram_model::token> response = model_.complete(prompt, start, max_tokens);
    std::string text = model_.decode(response);

    span.set_attribute("gen_ai.prompt.0.role", "system");
    span.set_attribute("gen_ai.prompt.0.content", passage);
    span.set_attribute("gen_ai.prompt.1.role", "user");
    span.set_attribute("gen_ai.prompt.1.content", question);
    span.set_attribute("gen_ai.completion.0.role", "assistant");
    span.set_attribute("gen_ai.completion.0.content", text);
    span.set_attribute("gen_ai.response.id", [&] { return "completion-" + span.context().span_id().to_hex(); });
    span.set_attribute("gen_ai.response.model", "trigram");
    span.set_attribute("gen_ai.usage.prompt_tokens", prompt.size());
    span.set_attribute("gen_ai.usage.completion_tokens", response.size());
    span.set_attribute("gen_ai.usage.total_tokens", prompt.size() + response.size());
    span.set_attribute("prompt_token_ids", prompt);
    span.set_attribute("response_token_ids", response);
    return text;
  }

  /// How good an answer is, for a trainer: the share of the question's words that it takes up.
  static void reward(std::string const& question, std::string const& text) {
    auto span = tracer.trace_context("agentlightning.annotation", "agentlightning.reward.0.name"_a = "primary");
    span.set_attribute("agentlightning.reward.0.value", [&] {
      const std::vector<std::string> asked = key_words(question);
      return asked.empty() ? 0 : static_cast<double>(shared_words(asked, text)) / static_cast<double>(asked.size());
    });
  }

  static constexpr int max_tokens = 80;
  library& books_;
  ngram_model const& model_;
  int port_;
};

void read(std::string const& folder, library& books) {
  auto span = tracer.trace_context("read.task");
  const auto files = agent::files_of(folder);
  const std::size_t passages = books.fill(files, 3'000'000);
  span.set_attribute("files", files.size());
  span.set_attribute("passages", passages);
  std::cout << "read " << passages << " passages\n";
}

void train(library& books, ngram_model& model) {
  auto span = tracer.trace_context("train.task");
  for (auto const& passage : books.all_passages()) model.train(passage.text);
  span.set_attribute("tokens", model.trained_on());
  span.set_attribute("vocabulary", model.vocabulary());
  std::cout << "trained on " << model.trained_on() << " words, " << model.vocabulary() << " different ones\n";
}

/// How many spans have ended, where the tracer can say it: the noop tracer's answer is only declared.
template <class Tracer>
std::uint64_t spans_of(Tracer const& counted) {
  if constexpr (requires { counted.stats().sampled; })
    return counted.stats().sampled;
  else
    return 0;
}

/// Everything in one trace.
void run(std::string const& folder, std::vector<std::string> questions) {
  auto root = tracer.trace_context(
      "librarian.agent", "agentops.span.kind"_a = "agent", "agent.name"_a = "librarian",
      "agent.tools"_a = [] { return std::vector{"search"s, "count"s, "fetch"s}; });
  library books;
  ngram_model model;
  read(folder, books);
  train(books, model);

  if (questions.empty()) {
    const auto longest = books.longest_document();
    const std::string known = longest.empty() ? "nothing" : longest[0].title;
    questions = {"May I distribute modified copies of a program?", "Which documents speak most often about a patent?",
                 "What does \"" + known + "\" say about a royalty?",
                 "What does \"The-Lost-Licence\" say about a warranty and damages?"};
  }
  agent::document_service service(books);
  librarian someone(books, model, service.port());
  for (std::string const& question : questions)
    std::cout << "\nQ: " << question << "\nA: " << someone.answer(question) << "\n" << std::flush;
  // Of the trace: the id, and with the root that ends now all its spans.
  if (root.is_recording()) {
    const std::string id = root.context().trace_id().to_hex();
    root.end();
    std::cout << "\ntrace " << id << ", " << spans_of(tracer) << " spans\n";
  }
}

}  // namespace

int main(int argc, char** argv) try {
  agent::tracer = fg::get_tracer_from_env();
  std::vector<std::string> arguments(argv + 1, argv + argc);
  const std::string folder = arguments.empty() ? AGENT_TEXTS : arguments[0];
  if (!arguments.empty()) arguments.erase(arguments.begin());
  run(folder, arguments);
  return 0;  // the tracer's destructor delivers, for as long as TRACER_SHUTDOWN_TIMEOUT allows
} catch (std::exception const& error) {
  std::cerr << "agent: " << error.what() << "\n";
  return 1;
}
