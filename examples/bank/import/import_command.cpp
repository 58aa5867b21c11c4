#include "import_command.hpp"

#include <ostream>

#include "leftfold/app/progress.hpp"
#include "leftfold/env/real_env.hpp"
#include "leftfold/event/json.hpp"

#include "generator.hpp"
#include "importer.hpp"

namespace bank {

using leftfold::ErrorCode;
using leftfold::Money;
using leftfold::Result;
using leftfold::Value;

namespace {

constexpr std::uint64_t kFileBytesMax = 1ULL << 30;
constexpr auto kProgressInterval = std::chrono::milliseconds(100);

struct ImportSettings {
    std::string file;
    std::string url = "http://127.0.0.1:8080";
    ImportOptions options;
    bool json = false;
};

void declare(ImportSettings& settings, leftfold::CliCommand& command) {
    command.arguments.push_back({.name = "FILE", .value = Value::text(settings.file), .help = "History as CSV"});
    leftfold::Configuration& configuration = command.configuration;
    configuration.add({.name = "url", .value = Value::text(settings.url, "URL"), .help = "The running bank"});
    configuration.add({.name = "overdraft-limit",
                       .value = Value::custom<Money>(
                           settings.options.overdraft_limit, "AMOUNT",
                           [](std::string_view text) -> Result<Money> {
                               if (const auto amount = Money::parse(text))
                                   return *amount;
                               return leftfold::fail(ErrorCode::invalid_argument,
                                                     "expected an amount such as 20000.00");
                           },
                           [](const Money& amount) { return amount.to_string(); }),
                       .help = "Of every account that is opened"});
    configuration.add({.name = "accounts-at-once",
                       .value = Value::integer(settings.options.accounts_at_once, 1, 10'000),
                       .help = "Accounts whose transactions are sent at the same time"});
    configuration.add({.name = "verify",
                       .value = Value::boolean(settings.options.verify),
                       .help = "Compare the balance after each transaction with the file's"});
    configuration.add({.name = "timeout",
                       .value = Value::duration(settings.options.timeout),
                       .help = "How long to wait for a bank that does not answer"});
    configuration.add({.name = "json",
                       .value = Value::boolean(settings.json),
                       .help = "Print the summary as one JSON object, and no progress"});
}

// What --json prints.
struct JsonSummary {
    std::uint64_t transactions;
    std::uint64_t accepted;
    std::uint64_t rejected;
    std::uint64_t duplicates;
    std::uint64_t mismatches;
    std::uint64_t unanswered;
    std::uint64_t retries;
    leftfold::Decimal<3> seconds;
};

Result<leftfold::Endpoint> endpoint_of(std::string_view url) {
    constexpr std::string_view kScheme = "http://";
    const auto wrong = [&] {
        return leftfold::fail(ErrorCode::invalid_argument,
                              "--url: '" + std::string(url) + "' is not a URL such as http://127.0.0.1:8080");
    };
    if (!url.starts_with(kScheme))
        return wrong();
    std::string_view authority = url.substr(kScheme.size());
    if (authority.ends_with('/'))
        authority.remove_suffix(1);
    auto endpoint = leftfold::parse_endpoint(authority);
    if (!endpoint)
        return wrong();
    return *endpoint;
}

void print(const ImportSettings& settings, const ImportSummary& summary, leftfold::Duration took,
           leftfold::Terminal& terminal) {
    for (const std::string& complaint : summary.complaints)
        terminal.err << complaint << '\n';
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
    if (settings.json) {
        const JsonSummary json_summary{
            summary.transactions, summary.accepted,   summary.rejected, summary.duplicates,
            summary.mismatches,   summary.unanswered, summary.retries,  leftfold::Decimal<3>::from_minor(milliseconds)};
        // Seconds are a number there, not the string that a Decimal is elsewhere.
        std::string text = leftfold::json::to_string(json_summary);
        const std::size_t quote = text.rfind('"', text.size() - 3);
        text.erase(text.size() - 2, 1);
        text.erase(quote, 1);
        terminal.out << text << std::endl;
        return;
    }
    terminal.out << summary.transactions << " transactions: " << summary.accepted << " accepted, " << summary.duplicates
                 << " were there before, " << summary.rejected << " rejected";
    if (settings.options.verify)
        terminal.out << ", " << summary.mismatches << " balances differ";
    if (summary.unanswered > 0)
        terminal.out << ", " << summary.unanswered << " not answered";
    terminal.out << " in " << milliseconds / 1000 << "." << (milliseconds / 100) % 10 << " s" << std::endl;
}

// One import, from its start to its end, with its progress.
class Import {
  public:
    Import(const ImportSettings& settings, leftfold::Terminal& terminal, leftfold::Endpoint endpoint,
           std::vector<Transaction> transactions)
        : client_(real_.env(), {.endpoint = std::move(endpoint),
                                .host = "",
                                .connections_max = settings.options.accounts_at_once,
                                .waiting_max = settings.options.accounts_at_once}),
          progress_(real_.env().clock, terminal,
                    {.what = "import", .unit = "transactions", .total = transactions.size(), .silent = settings.json}),
          importer_(real_.env(), client_, std::move(transactions), settings.options, [this] { real_.stop(); }) {}

    const ImportSummary& run() {
        real_.on_termination_signal([this](int) { importer_.stop(); });
        show_progress();
        importer_.start();
        real_.run();
        progress_.set(importer_.answered());
        progress_.finish();
        return importer_.summary();
    }

    leftfold::MonotonicTime now() { return real_.env().clock.monotonic(); }

  private:
    void show_progress() {
        progress_.set(importer_.answered());
        real_.env().scheduler.call_after(kProgressInterval, [this] { show_progress(); });
    }

    leftfold::RealEnv real_;
    leftfold::http::Client client_;
    leftfold::Progress progress_;
    Importer importer_;
};

Result<int> run(const ImportSettings& settings, leftfold::Terminal& terminal) {
    LEFTFOLD_TRY(endpoint, endpoint_of(settings.url));
    const auto files = leftfold::make_real_file_system();
    LEFTFOLD_TRY(csv, leftfold::read_file(*files, settings.file, kFileBytesMax));
    auto transactions = parse_transactions(csv);
    if (!transactions)
        return std::unexpected(std::move(transactions).error().with_context(settings.file));

    Import import(settings, terminal, std::move(endpoint), std::move(*transactions));
    const leftfold::MonotonicTime begun = import.now();
    const ImportSummary& summary = import.run();
    print(settings, summary, import.now() - begun, terminal);
    return summary.complete() ? 0 : 1;
}

}  // namespace

leftfold::CliCommand import_command() {
    return leftfold::make_cli_command<ImportSettings>(
        {.name = "import",
         .summary = "Send a history of transactions into a running bank",
         .help = "Reads a CSV file with the columns transaction_id, account_id, date, kind (deposit or withdrawal), "
                 "amount_minor and balance_minor, and sends a command for each line, many accounts at once, each "
                 "account in "
                 "order. The first transaction of an account opens it.\n\nA command's id is its transaction_id, so an "
                 "import "
                 "that was cut short is simply run again: what is there already is recognised and changes nothing.",
         .examples = {{"import transactions.csv --verify", "and compare each balance"}}},
        [](ImportSettings& settings, leftfold::CliCommand& command) { declare(settings, command); },
        [](ImportSettings& settings, leftfold::Terminal& terminal) { return run(settings, terminal); });
}

leftfold::CliCommand generate_command() {
    return leftfold::make_cli_command<GeneratorOptions>(
        {.name = "generate",
         .summary = "Print a made-up history of transactions, to import",
         .help = "CSV of the form that import reads. The same numbers give the same history.",
         .examples = {{"generate --transactions 30000 > history.csv", "a larger one"}}},
        [](GeneratorOptions& options, leftfold::CliCommand& command) {
            leftfold::Configuration& configuration = command.configuration;
            configuration.add({.name = "seed", .value = Value::integer(options.seed), .help = "Which history"});
            configuration.add({.name = "accounts",
                               .value = Value::integer(options.accounts, 1, 1'000'000),
                               .help = "How many accounts"});
            configuration.add({.name = "transactions",
                               .value = Value::integer(options.transactions, 1, 10'000'000),
                               .help = "How many transactions"});
        },
        [](GeneratorOptions& options, leftfold::Terminal& terminal) -> Result<int> {
            terminal.out << generate_history(options);
            return 0;
        });
}

}  // namespace bank
