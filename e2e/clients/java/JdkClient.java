import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/**
 * java.net.http. Without TLS it asks for HTTP/2 by Upgrade on each new connection, which a proxy
 * without h2c answers in HTTP/1.1; so the version is set, and nothing else.
 */
final class JdkClient {
    private static final HttpClient CLIENT =
        HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    public static void main(String[] arguments) throws Exception {
        Contract.run("java.net.http", JdkClient::send);
    }

    private static Contract.Answer send(String method, String url, byte[] body) throws Exception {
        HttpRequest.BodyPublisher publisher = body.length == 0
            ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofByteArray(body);
        HttpRequest request = HttpRequest.newBuilder(URI.create(url)).method(method, publisher).build();
        HttpResponse<byte[]> answer = CLIENT.send(request, HttpResponse.BodyHandlers.ofByteArray());
        return new Contract.Answer(answer.statusCode(), answer.body());
    }
}
