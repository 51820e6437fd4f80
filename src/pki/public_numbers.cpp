// SPDX-License-Identifier: Apache-2.0
#include "pki/public_numbers.hpp"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>

#include <memory>

#include "base/result.hpp"
#include "pki/openssl.hpp"

namespace pki {
namespace {

using ParamBuilderPtr = std::unique_ptr<OSSL_PARAM_BLD, FreeWith<OSSL_PARAM_BLD_free>>;
using ParamsPtr = std::unique_ptr<OSSL_PARAM, FreeWith<OSSL_PARAM_free>>;
using ObjectPtr = std::unique_ptr<ASN1_OBJECT, FreeWith<ASN1_OBJECT_free>>;
using GroupPtr = std::unique_ptr<EC_GROUP, FreeWith<EC_GROUP_free>>;
using PointPtr = std::unique_ptr<EC_POINT, FreeWith<EC_POINT_free>>;

base::Bytes big_endian(const BIGNUM* number) {
    base::Bytes out(static_cast<std::size_t>(BN_num_bytes(number)));
    BN_bn2bin(number, reinterpret_cast<unsigned char*>(out.data()));
    return out;
}

base::Result<base::Bytes> number_of(EVP_PKEY* key, const char* name) {
    BIGNUM* value = nullptr;
    if (EVP_PKEY_get_bn_param(key, name, &value) != 1)
        return openssl_error(base::Code::unsupported, "public key", "could not be taken apart");
    const BignumPtr owned(value);
    return big_endian(value);
}

base::Result<base::Bytes> key_octets(EVP_PKEY* key, const char* name) {
    std::size_t size = 0;
    if (EVP_PKEY_get_octet_string_param(key, name, nullptr, 0, &size) != 1)
        return openssl_error(base::Code::unsupported, "public key", "could not be taken apart");
    base::Bytes out(size);
    if (EVP_PKEY_get_octet_string_param(key, name, reinterpret_cast<unsigned char*>(out.data()), out.size(),
                                        &size) != 1)
        return openssl_error(base::Code::unsupported, "public key", "could not be taken apart");
    out.resize(size);
    return out;
}

const unsigned char* octets(const base::Bytes& bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

std::unexpected<base::Error> not_a_key() {
    return openssl_error(base::Code::malformed, "public key", "does not hold together");
}

base::Result<PublicKey> build(const char* type, OSSL_PARAM_BLD* builder) {
    const ParamsPtr params(OSSL_PARAM_BLD_to_param(builder));
    const EvpKeyCtxPtr ctx(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* key = nullptr;
    if (!params || !ctx || EVP_PKEY_fromdata_init(ctx.get()) != 1 ||
        EVP_PKEY_fromdata(ctx.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
        return not_a_key();
    const EvpKeyPtr owned(key);
    return PublicKey::share(key);
}

}  // namespace

base::Result<PublicNumbers> public_numbers(const PublicKey& key) {
    PublicNumbers out{};
    if (EVP_PKEY_is_a(key.handle(), "RSA")) {
        out.algorithm = KeyAlgorithm::rsa;
        SP_TRY(return, out.modulus, number_of(key.handle(), OSSL_PKEY_PARAM_RSA_N));
        SP_TRY(return, out.exponent, number_of(key.handle(), OSSL_PKEY_PARAM_RSA_E));
        return out;
    }
    char group[80]{};
    if (!EVP_PKEY_is_a(key.handle(), "EC") ||
        EVP_PKEY_get_group_name(key.handle(), group, sizeof group, nullptr) != 1) {
        clear_openssl_errors();
        return base::fail(base::Code::unsupported, "public key", "is neither RSA nor EC on a named curve");
    }
    out.algorithm = KeyAlgorithm::ecdsa;
    const int curve = OBJ_txt2nid(group);
    // The i2d of an OBJECT IDENTIFIER takes a const object, unlike those that to_der is made for.
    const ASN1_OBJECT* object = OBJ_nid2obj(curve);
    unsigned char* der = nullptr;
    const int size = object ? i2d_ASN1_OBJECT(object, &der) : 0;
    if (size <= 0) return openssl_error(base::Code::unsupported, "public key", "lies on an unknown curve");
    const std::unique_ptr<unsigned char, FreeOpenSsl> owned(der);
    out.curve_oid.assign(reinterpret_cast<std::byte*>(der), reinterpret_cast<std::byte*>(der) + size);
    SP_TRY(return, const auto encoded, key_octets(key.handle(), OSSL_PKEY_PARAM_PUB_KEY));
    const GroupPtr curve_group(EC_GROUP_new_by_curve_name(curve));
    const PointPtr point(curve_group ? EC_POINT_new(curve_group.get()) : nullptr);
    if (!point ||
        EC_POINT_oct2point(curve_group.get(), point.get(), octets(encoded), encoded.size(), nullptr) != 1)
        return not_a_key();
    const auto length =
        EC_POINT_point2oct(curve_group.get(), point.get(), POINT_CONVERSION_COMPRESSED, nullptr, 0, nullptr);
    out.point.resize(length);
    EC_POINT_point2oct(curve_group.get(), point.get(), POINT_CONVERSION_COMPRESSED,
                       reinterpret_cast<unsigned char*>(out.point.data()), length, nullptr);
    return out;
}

base::Result<PublicKey> public_key_from(const PublicNumbers& numbers) {
    const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
    if (numbers.algorithm == KeyAlgorithm::rsa) {
        const BignumPtr n(
            BN_bin2bn(octets(numbers.modulus), static_cast<int>(numbers.modulus.size()), nullptr));
        const BignumPtr e(
            BN_bin2bn(octets(numbers.exponent), static_cast<int>(numbers.exponent.size()), nullptr));
        if (!builder || !n || !e || BN_is_zero(n.get()) || BN_is_zero(e.get()) ||
            OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
            OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
            return not_a_key();
        return build("RSA", builder.get());
    }
    const auto* at = octets(numbers.curve_oid);
    const ObjectPtr object(d2i_ASN1_OBJECT(nullptr, &at, static_cast<long>(numbers.curve_oid.size())));
    const int curve = object ? OBJ_obj2nid(object.get()) : NID_undef;
    if (!builder || curve == NID_undef) return not_a_key();
    // The provider takes the group first and decompresses the point itself.
    if (OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, OBJ_nid2sn(curve), 0) !=
            1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, numbers.point.data(),
                                         numbers.point.size()) != 1)
        return not_a_key();
    return build("EC", builder.get());
}

}  // namespace pki
