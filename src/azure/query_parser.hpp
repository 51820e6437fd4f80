// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "azure/query_expression.hpp"
#include "azure/query_lexer.hpp"

namespace azure::query {

/// Recursive descent over the tokens of a query; this part knows expressions and paths.
class Parser {
  public:
    static constexpr int deepest = 32;  ///< parentheses and NOT inside each other

    explicit Parser(std::span<const Token> tokens) : tokens_(tokens) {}

    base::Result<Expression> condition();
    base::Result<Path> path();

    const Token& peek() const { return tokens_[at_]; }
    const Token& take();
    bool at_end() const { return peek().kind == Token::Kind::end; }
    /// Takes the word or symbol where it stands there. Words compare without case.
    bool take_word(std::string_view word);
    bool take_symbol(std::string_view symbol);
    base::Status expect_word(std::string_view word);
    base::Status expect_symbol(std::string_view symbol);
    /// A name of a column: a word or a name in [[ ]].
    base::Result<std::string> name();
    /// "expects X, and finds Y" at the present token.
    std::unexpected<base::Error> unexpected(std::string expected) const;
    /// Whether a word and its opening parenthesis come next.
    bool at_call() const;

  private:
    base::Result<Expression> chain(Chain::Kind kind);
    base::Result<Expression> negation();
    base::Result<Expression> comparison();
    base::Result<Expression> membership(Expression value, bool inverted);
    base::Result<Expression> operand();
    base::Result<Expression> parenthesis();
    base::Result<Expression> call();
    base::Result<Expression> array();
    base::Result<Expression> below(base::Result<Expression> (Parser::*rule)());

    std::span<const Token> tokens_;
    std::size_t at_ = 0;
    int depth_ = 0;
};

}  // namespace azure::query
