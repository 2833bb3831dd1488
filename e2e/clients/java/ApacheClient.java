import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;
import org.apache.hc.core5.http.io.entity.EntityUtils;

import java.net.URI;

/** Apache HttpClient 5, as createDefault makes it. */
final class ApacheClient {
    private static final CloseableHttpClient CLIENT = HttpClients.createDefault();

    public static void main(String[] arguments) throws Exception {
        Contract.run("Apache HttpClient", ApacheClient::send);
    }

    private static Contract.Answer send(String method, String url, byte[] body) throws Exception {
        HttpUriRequestBase request = new HttpUriRequestBase(method, URI.create(url));
        if (body.length > 0) {
            request.setEntity(new ByteArrayEntity(body, ContentType.APPLICATION_OCTET_STREAM));
        }
        return CLIENT.execute(request, answer -> {
            byte[] echo = answer.getEntity() == null
                ? new byte[0] : EntityUtils.toByteArray(answer.getEntity());
            return new Contract.Answer(answer.getCode(), echo);
        });
    }
}
