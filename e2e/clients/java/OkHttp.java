import java.time.Duration;
import java.util.List;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;

/**
 * OkHttp. Its read timeout of 10 s would end slow answers, so it is lifted; h2c takes the one
 * setting that chooses it.
 */
final class OkHttp {
    private static final OkHttpClient CLIENT = client();

    public static void main(String[] arguments) throws Exception {
        Contract.run("OkHttp", OkHttp::send);
    }

    private static OkHttpClient client() {
        OkHttpClient.Builder builder = new OkHttpClient.Builder().readTimeout(Duration.ZERO);
        if (Contract.PROTOCOL.equals("h2")) {
            builder.protocols(List.of(Protocol.H2_PRIOR_KNOWLEDGE));
        }
        return builder.build();
    }

    private static Contract.Answer send(String method, String url, byte[] body) throws Exception {
        RequestBody content = method.equals("GET") ? null : RequestBody.create(body, (MediaType) null);
        Request request = new Request.Builder().url(url).method(method, content).build();
        try (Response answer = CLIENT.newCall(request).execute()) {
            return new Contract.Answer(answer.code(), answer.body().bytes());
        }
    }
}
