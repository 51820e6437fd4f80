// SPDX-License-Identifier: Apache-2.0
#include "net/judgement.hpp"

#include "pki/checks.hpp"

namespace net {

namespace {

/// OpenSSL turns its own error numbers into alerts, so the failed check becomes one of those.
int error_number(std::string_view check) {
    namespace checks = pki::checks;
    if (check == checks::leaf_validity || check == checks::path_validity) return X509_V_ERR_CERT_HAS_EXPIRED;
    if (check == checks::path_issuer || check == checks::path_anchor) {
        return X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY;  // the alert unknown_ca
    }
    if (check == checks::leaf_extended_key_usage || check == checks::leaf_key_usage)
        return X509_V_ERR_INVALID_PURPOSE;
    return X509_V_ERR_CERT_REJECTED;  // the alert bad_certificate
}

}  // namespace

int judge_server(X509_STORE_CTX* store, void*) {
    const auto* ssl =
        static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto* judgement = static_cast<Judgement*>(SSL_get_app_data(ssl));
    pki::Chain chain;
    STACK_OF(X509)* presented = X509_STORE_CTX_get0_untrusted(store);  // leaf first, as the server sent it
    for (int link = 0; link < sk_X509_num(presented); ++link) {
        chain.push_back(pki::Certificate::share(sk_X509_value(presented, link)));
    }
    const pki::VerifyInput input{.chain = chain,
                                 .trust = judgement->tls->trust(),
                                 .purpose = pki::Purpose::server,
                                 .name = &judgement->name,
                                 .now = judgement->now,
                                 .policy = judgement->tls->policy()};
    judgement->verdict = pki::verify(input).verdict;
    judgement->judged = true;
    if (judgement->verdict.accepted()) {
        X509_STORE_CTX_set_error(store, X509_V_OK);
        return 1;
    }
    const pki::Step* failure = judgement->verdict.first_failure();
    X509_STORE_CTX_set_error(store,
                             failure != nullptr ? error_number(failure->check) : X509_V_ERR_CERT_REJECTED);
    return 0;
}

}  // namespace net
