// SPDX-License-Identifier: Apache-2.0
#include <openssl/pem.h>

#include "base/result.hpp"
#include "pki/csr.hpp"
#include "pki/extension.hpp"
#include "pki/general_name.hpp"
#include "pki/openssl.hpp"
#include "pki/profile.hpp"
#include "pki/public_key_info.hpp"

namespace pki {
namespace {

bool set_public_key(X509_REQ* request, EVP_PKEY* key) {
    return set_p256_key(X509_REQ_get_X509_PUBKEY(request), key) || X509_REQ_set_pubkey(request, key) == 1;
}

base::Status add_wishes(const CsrWish& wish, X509_REQ* request) {
    STACK_OF(X509_EXTENSION)* raw = sk_X509_EXTENSION_new_null();
    const X509ExtensionsPtr extensions(raw);
    if (!extensions) return openssl_error(base::Code::internal, "certificate request", "could not be made");
    if (wish.ca) {
        const BasicConstraintsPtr basic(make_basic_constraints(true, 0));
        if (auto added = add_extension(&raw, NID_basic_constraints, true, basic.get()); !added) return added;
        const auto usage = make_key_usage(key_usage::key_cert_sign | key_usage::digital_signature);
        if (auto added = add_extension(&raw, NID_key_usage, true, usage.get()); !added) return added;
    }
    if (!wish.usages.empty()) {
        SP_TRY(return, const auto usages, make_extended_key_usage(wish.usages));
        if (auto added = add_extension(&raw, NID_ext_key_usage, false, usages.get()); !added) return added;
    }
    if (!wish.names.empty()) {
        for (const auto& name : wish.names)
            if (auto fine = check_name(name); !fine) return fine;
        SP_TRY(return, const auto names, make_general_names(wish.names));
        if (auto added = add_extension(&raw, NID_subject_alt_name, false, names.get()); !added) return added;
    }
    if (sk_X509_EXTENSION_num(raw) == 0 || X509_REQ_add_extensions(request, raw) == 1) return {};
    return openssl_error(base::Code::internal, "certificate request", "could not take its extensions");
}

}  // namespace

base::Result<std::string> make_csr_pem(const CsrWish& wish, const PrivateKey& key) {
    if (auto fine = check_common_name(wish.common_name); !fine) return std::unexpected(fine.error());
    const X509ReqPtr request(X509_REQ_new());
    SP_TRY(return, const auto name, make_name(wish.common_name));
    if (!request || X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
        X509_REQ_set_subject_name(request.get(), name.get()) != 1 ||
        !set_public_key(request.get(), key.handle()))
        return openssl_error(base::Code::internal, "certificate request", "could not be made");
    if (auto added = add_wishes(wish, request.get()); !added) return std::unexpected(added.error());
    if (X509_REQ_sign(request.get(), key.handle(), EVP_sha256()) == 0)
        return openssl_error(base::Code::internal, "certificate request", "could not be signed");
    const BioPtr out(BIO_new(BIO_s_mem()));
    if (!out || PEM_write_bio_X509_REQ(out.get(), request.get()) != 1)
        return openssl_error(base::Code::internal, "certificate request", "could not be written");
    return bio_text(out.get());
}

}  // namespace pki
