#include "cli/process.h"

#include <cstdlib>

#include <catch2/catch.hpp>

using namespace wesher::cli;

namespace {

/// Arguments in writable memory, as the kernel gives them to main().
struct Arguments {
  explicit Arguments(std::vector<std::string> given) : texts(std::move(given)) {
    for (auto& text : texts)
      pointers.push_back(text.data());
  }

  std::vector<std::string> take() {
    return take_arguments(static_cast<int>(pointers.size()), pointers.data());
  }

  std::vector<std::string> texts;
  std::vector<char*> pointers;
};

}  // namespace

TEST_CASE("the cluster key disappears from the arguments in both forms", "[cli][process]") {
  const std::vector<std::string> given = {
      "wesher", "--cluster-key",         "c2VjcmV0",      "--join",
      "a",      "-cluster-key=c2VjcmV0", "--cluster-key="};
  Arguments arguments(given);
  const auto taken = arguments.take();
  CHECK(taken == std::vector<std::string>(given.begin() + 1, given.end()));
  CHECK(arguments.texts == std::vector<std::string>{"wesher", "--cluster-key", "xxxxxxxx", "--join",
                                                    "a", "-cluster-key=xxxxxxxx",
                                                    "--cluster-key="});
}

TEST_CASE("other arguments stay as they are", "[cli][process]") {
  const std::vector<std::string> given = {"wesher", "--cluster-key-file", "/etc/key", "cluster-key",
                                          "x",      "--cluster-key"};
  Arguments arguments(given);
  CHECK(arguments.take().size() == 5);
  CHECK(arguments.texts == given);
}

TEST_CASE("a secret variable is given once and gone from the environment", "[cli][process]") {
  static char assignment[] = "WESHER_TEST_SECRET=c2VjcmV0";
  REQUIRE(::putenv(assignment) == 0);
  CHECK(take_variable("WESHER_TEST_SECRET") == "c2VjcmV0");
  CHECK(std::getenv("WESHER_TEST_SECRET") == nullptr);
  CHECK(std::string(assignment) == "WESHER_TEST_SECRET=xxxxxxxx");
  CHECK(take_variable("WESHER_TEST_SECRET") == std::nullopt);
}

TEST_CASE("a wiped text is empty and its bytes are gone", "[cli][process]") {
  std::string text = "a secret that is longer than the small buffer";
  const char* bytes = text.data();
  wipe(text);
  CHECK(text.empty());
  CHECK(bytes[5] == '\0');
}
